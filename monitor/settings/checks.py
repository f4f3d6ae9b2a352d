"""What settings mean together: names that must exist, floors, addresses, secrets in the open.

Rule: reads settings that are typed already and adds to the problems; an error is what cannot work or must not be, a
warning what is likely not meant.
"""

from __future__ import annotations

import base64
import binascii
import re
from ipaddress import ip_address
from pathlib import Path

from monitor.settings.addresses import inward
from monitor.settings.check_select import check_select
from monitor.settings.ground import Ground
from monitor.settings.receiver import EmailSettings, ReceiverSettings, WebhookSettings
from monitor.settings.source import FLOOR, STAND_IN_URL, SourceSettings
from monitor.settings.units import in_words

_OPEN_SECRETS = ("slack", "secret", "password", "token", "apprise")  # a webhook's URL alone is no secret: it is signed
_PASSWORD = re.compile(r"://[^/@\s]*:[^/@\s]+@")
_HOST = re.compile(
    r"//|(?:www\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?!txt\b|html?\b|xml\b|json\b|rss\b|atom\b)[a-z]{2,}(?:/|$)"
)
_BRISK = 1.0  # seconds; whoever polls a stranger more often should be told


def check_service(ground: Ground) -> None:
    """Note what is wrong with the settings that stand at the top."""
    settings = ground.settings
    if not settings.sources and not ground.problems.errors:
        ground.warning(("sources",), "there is no source: nothing is watched", "add one under `sources`")
    ground.names(("operators",), settings.operators, "receivers")
    for path in (("redis",), ("redis", "url"), ("store",)):
        for scalar in ground.in_the_open(path):
            if _PASSWORD.search(scalar.text or ""):
                said = f"{path[0]}: a password stands in the settings file"
                ground.problems.warning(scalar.place, said, "write the URL as ${NAME}")
    if settings.http.listen and not _is_loopback(settings.http.listen[0]):
        said = "everyone on the network can read the health and metrics page"
        ground.warning(("http", "listen"), said, "listen on 127.0.0.1, or let a proxy ask for a password")
    if settings.limits.connect_time > settings.limits.total_time:
        said = "limits.connect_time is longer than limits.total_time and never comes into play"
        ground.warning(("limits", "connect_time"), said, "make it shorter")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def check_source(ground: Ground, source: SourceSettings, seen: dict[str, str]) -> None:
    """Note what is wrong with one source; `seen` holds the address of each source before it, and its id."""
    path = ("sources", source.id)
    _check_cadence(ground, source)
    if source.url != STAND_IN_URL and not ground.broken((*path, "url")):
        _check_address(ground, source, seen)
    check_select(ground, source)
    _check_headers(ground, source)


def _check_address(ground: Ground, source: SourceSettings, seen: dict[str, str]) -> None:
    path = ("sources", source.id, "url")
    if source.is_file:
        if source.enabled and not Path(source.url).exists():
            shown = ground.shown(path)
            said = f"there is no file '{shown}'"
            address = f"write https://{shown.lstrip('/')} if it is an address"
            mend = address if _HOST.match(shown) else "the path starts at the settings file's directory"
            ground.warning(path, said, mend)
    else:
        ground.address(path, source.url, allow_private=source.allow_private)
    first = seen.setdefault(source.url, source.id)
    if first != source.id and source.enabled:
        ground.warning(path, f"source {first} has the same address", "poll it once, with one source")


def _check_cadence(ground: Ground, source: SourceSettings) -> None:
    path = ("sources", source.id, "every")
    if source.cron is not None:
        if ground.stands(path, ground.written):
            ground.warning(path, "`cron` is given too, and `every` does nothing", "keep one of the two")
    elif source.every < FLOOR and not source.allow_fast:
        said = f"every {in_words(source.every)} is under the floor of {in_words(FLOOR)}"
        ground.error(path, said, "write 10s or more, or allow_fast: true if the publisher agreed")
    elif source.every <= 0:
        ground.error(path, "every 0s is no pace", "write 10s or more")
    elif source.every < _BRISK and not source.is_file and inward(source.url) is None:
        said = f"every {in_words(source.every)} asks a stranger's server more than once a second"
        ground.warning(path, said, "be sure that the publisher agreed")
    if source.cron is None and source.quiet_pace < source.every:
        said = f"slowest {in_words(source.quiet_pace)} is faster than every {in_words(source.every)}"
        ground.error((*path[:2], "slowest"), said, "write the longer time, or leave it out")


def _check_headers(ground: Ground, source: SourceSettings) -> None:
    for name in source.headers:
        path = ("sources", source.id, "headers", name)
        for scalar in ground.in_the_open(path):
            said = f"the value of the header {name} stands in the settings file"
            ground.problems.warning(scalar.place, said, f"write ${{NAME}}, or {name}_file: and a path")
        if source.url.startswith("http:") and not source.allow_private:
            said = f"the header {name} is sent over http: anyone on the way can read it"
            ground.warning(path, said, "use https")


def check_receiver(ground: Ground, receiver: ReceiverSettings, used: frozenset[str]) -> None:
    """Note what is wrong with one receiver; `used` are the names that rules and operators send to."""
    path = ("receivers", receiver.name)
    address = receiver.address
    if address:
        ground.address((*path, receiver.kind), address, allow_private=receiver.allow_private)
        if address.startswith("http:") and inward(address) is None:
            said = f"receiver {receiver.name} is sent to over http: anyone on the way can read it"
            ground.warning((*path, receiver.kind), said, "use https")
    for key in _OPEN_SECRETS:
        if key == "slack" and address is None:  # a channel's name
            continue
        for scalar in ground.in_the_open((*path, key)):
            said = f"the secret `{key}` stands in the settings file"
            ground.problems.warning(scalar.place, said, f"write ${{NAME}}, or {key}_file: and a path")
    if receiver.name not in used and receiver.enabled and not ground.problems.errors:
        said = f"nothing is ever sent to receiver {receiver.name}"
        ground.problems.warning(ground.place(path), said, f"name it in a rule: notify: [{receiver.name}]")
    if isinstance(receiver, WebhookSettings):
        _check_webhook(ground, receiver)
    if isinstance(receiver, EmailSettings):
        _check_email(ground, receiver)


def _check_webhook(ground: Ground, receiver: WebhookSettings) -> None:
    path = ("receivers", receiver.name)
    if not receiver.secret and not receiver.allow_private:
        said = f"receiver {receiver.name} has no `secret`: whoever gets its messages cannot tell them from forged ones"
        ground.warning((*path, "webhook"), said, 'add secret: "${WEBHOOK_SECRET}"')
    for index, secret in enumerate(receiver.secret):
        text = secret.reveal()
        if text.startswith("whsec_") and not _is_base64(text.removeprefix("whsec_")):
            said = "what follows whsec_ is not base64"
            ground.error(
                (*path, "secret", index), said, "write whsec_ and the base64 of the key, or another text without whsec_"
            )
    for name in receiver.headers:
        for scalar in ground.in_the_open((*path, "headers", name)):
            said = f"the value of the header {name} stands in the settings file"
            ground.problems.warning(scalar.place, said, f"write ${{NAME}}, or {name}_file: and a path")


def _check_email(ground: Ground, receiver: EmailSettings) -> None:
    path = ("receivers", receiver.name)
    if receiver.password and not receiver.username:
        ground.error((*path, "password"), "a password is given and no username", "add username: …")
    if (
        receiver.password
        and not receiver.starttls
        and receiver.port != 465
        and receiver.host not in {"localhost", "127.0.0.1"}
    ):
        said = "the password is sent without TLS: anyone on the way can read it"
        ground.warning((*path, "starttls"), said, "take starttls: false out")


def _is_base64(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True))
    except binascii.Error:
        return False
