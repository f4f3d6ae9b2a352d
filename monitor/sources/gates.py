"""Why a document holds no entries: challenge, consent, paywall, login, error page, scripts only: in words for an operator.

Rule: asked only where no entries were read, so a live blog that writes about captchas is never taken for one. Marks are
those the products themselves put into their pages.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from monitor.model import Verdict, VerdictKind
from monitor.sources.content import Content

_UNEXPLAINED = {
    "no_entries",
    "not_a_feed",
    "not_json",
    "not_text",
    "http_status",
    "layout_changed",
    "error_page",
    "kind_changed",
}
_LOOK_AT = 300_000  # characters; interstitials are small, and their marks stand early

# (code, words, marks): the first row with a mark in the page names the reason.
_ROWS: tuple[tuple[str, str, re.Pattern[str]], ...] = (
    (
        "challenge",
        "blocked by a challenge page",
        re.compile(
            r"cf-mitigated|cf[-_]chl|challenge-platform|<title>just a moment|attention required! \| cloudflare|cf-browser-verification"
            r"|checking your browser|enable javascript and cookies to continue|ddos-guard|_incapsula_resource|incapsula incident|px-captcha"
            r"|perimeterx|captcha-delivery\.com|datadome|verify (?:that )?you are (?:a )?human|are you (?:a human|a robot|human)\b"
            r"|unusual traffic from your|sucuri_cloudproxy|awswafcookiedomainlist|aws-waf|pardon our interruption|please verify you are a human"
            r"|g-recaptcha|h-captcha|kasada|access to this page has been denied|why have i been blocked"
        ),
    ),
    (
        "access_denied",
        "the publisher refuses access",
        re.compile(
            r"<title>\s*access denied|<title>[^<]{0,20}403|403 forbidden|you don.t have permission to access"
            r"|not available in your (?:country|region|location)|unavailable (?:in|for) your (?:country|region)|unavailable for legal reasons"
        ),
    ),
    (
        "error_page",
        "an error page",
        re.compile(
            r"<title>[^<]{0,60}(?:\b(?:404|410|500|502|503|504)\b|not found|page unavailable|error|maintenance|service unavailable|bad gateway"
            r"|temporarily unavailable|seite nicht gefunden|page introuvable|página no encontrada|pagina non trovata|страница не найдена)"
            r"|<h1[^>]*>\s*(?:404|not found|page not found|internal server error|bad gateway|service unavailable)|<error>\s*<code>"
            r"|\A\s*(?:404|500|502|503|internal server error|bad gateway|service unavailable|not found)\b"
        ),
    ),
    (
        "consent",
        "a cookie consent page",
        re.compile(
            r"consent\.(?:google|youtube|yahoo)\.|guce\.|<title>[^<]{0,40}(?:before you continue|consent|cookie|privacy settings|datenschutz)"
            r"|before you continue to|sourcepoint|sp_message|privacy-mgmt\.com|didomi|onetrust-consent|we value your privacy|zustimmen und weiter"
            r"|accept (?:all )?cookies to continue|accepter (?:et continuer|les cookies)|accetta (?:e continua|i cookie)"
        ),
    ),
    (
        "paywall",
        "a paywall",
        re.compile(
            r"\"isaccessibleforfree\"\s*:\s*\"?false|subscribe (?:now )?to (?:continue|read|keep reading)|subscribers? only|tp-paywall|piano-paywall"
            r"|already a subscriber|this (?:article|content) is (?:for|reserved for|exclusive to) (?:our )?subscribers|class=\"[^\"]*paywall"
            r"|réservé aux abonnés|nur für abonnenten|solo para suscriptores|solo per (?:gli )?abbonati|register to (?:continue|read)"
        ),
    ),
    (
        "login",
        "a login page",
        re.compile(
            r"<input[^>]{0,200}type=[\"']?password|<title>[^<]{0,30}(?:log ?in|sign ?in|anmelden|connexion)|(?:log|sign) in to (?:continue|read|view)"
        ),
    ),
    (
        "needs_scripts",
        "the page is empty without scripts",
        re.compile(
            r"<noscript>[^<]{0,40}(?:you need to )?(?:please )?enable javascript|enable javascript to run this app|javascript is (?:required|disabled)"
            r"|<div id=[\"']?(?:root|app|__next)[\"']?>\s*</div>"
        ),
    ),
)


_REFUSAL_TITLE = re.compile(
    r"\s*(?:(?:error\s*)?(?:40[0-9]|410|451|50[0-4])\b|page (?:not found|unavailable)|not found|just a moment|access denied|attention required"
    r"|service unavailable|bad gateway|(?:site|down for|under) maintenance|forbidden|before you continue|seite nicht gefunden|page introuvable"
    r"|página no encontrada|pagina non trovata|страница не найдена|internal server error|oops)",
    re.IGNORECASE,
)
_TITLE = re.compile(r"<title[^>]*>([^<]{0,200})|<h1[^>]*>([^<]{0,200})", re.IGNORECASE)
_BRIDGE_ERROR = re.compile(
    r"bridge returned error|error while (?:fetching|generating) (?:the )?feed|feed (?:error|not available)\b",
    re.IGNORECASE,
)


def refuses(content: Content) -> Verdict | None:
    """Return a failed verdict if a page's own title says that it is not the page asked for.

    Asked before a plain page is searched for stamped blocks: error pages show lists of other articles with times.
    """
    for title, heading in _TITLE.findall(content.text[:_LOOK_AT])[:3]:
        if _REFUSAL_TITLE.match(title or heading):
            said = Verdict(
                VerdictKind.FAILED,
                f"an error page instead of the live blog: {(title or heading).strip()!r}",
                "error_page",
            )
            return explain(content, said)
    return None


def error_feed(titles: Sequence[str | None]) -> Verdict | None:
    """Return a failed verdict if a feed's only item is its generator's report of an error (RSS-Bridge and the like)."""
    if len(titles) == 1 and _BRIDGE_ERROR.search(titles[0] or ""):
        return Verdict(VerdictKind.FAILED, f"the feed's generator reports an error: {titles[0]!r}", "error_feed")
    return None


def explain(content: Content, verdict: Verdict) -> Verdict:
    """Return a failed verdict that names why the document shows no entries; `verdict` itself where nothing tells more."""
    if not content.body.strip():
        return Verdict(VerdictKind.FAILED, "the document is empty", "empty")
    if verdict.code not in _UNEXPLAINED:
        return verdict
    text = content.text[:_LOOK_AT].lower()
    for code, words, marks in _ROWS:
        if marks.search(text):
            return Verdict(VerdictKind.FAILED, f"{words} instead of the live blog", code)
    if content.body[:4] in _MAGIC or content.body[:5] == b"%PDF-":
        return Verdict(VerdictKind.FAILED, "the document is no text: an image, archive or PDF", "not_text")
    return verdict


_MAGIC = {
    b"\x89PNG",
    b"GIF8",
    b"\xff\xd8\xff\xe0",
    b"\xff\xd8\xff\xe1",
    b"PK\x03\x04",
    b"RIFF",
    b"\x1f\x8b\x08\x00",
    b"\x28\xb5\x2f\xfd",
}
