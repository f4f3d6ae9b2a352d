"""The settings of one receiver: a way to tell people, by its kind.

Rule: the kind is the one key of KINDS that a receiver has, and that key's value is where it sends; a new kind is one
class and one row.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from monitor.settings.addresses import http_url
from monitor.settings.alerting import GroupBy, QuietSettings, Rate
from monitor.settings.fields import Flag, Frozen, Seconds, SecretHeaders, SecretText, SecretTexts, Text, between
from monitor.settings.secret import Secret
from monitor.settings.units import Unfit, count, refuse_all, text

_CHANNEL = re.compile(r"#?[^\s#@/:,.]{1,80}")  # names in any script, or an id such as C024BE91L
ReceiverKind = Literal["slack", "webhook", "email", "terminal", "apprise"]


def _secret_url(value: object) -> Secret:
    try:
        return Secret(http_url(value))
    except Unfit as wrong:  # its words quote the URL, which is a secret here
        raise Unfit("this is not an http or https URL without user and password", wrong.mend) from None


def _slack_url(url: Secret) -> None:
    try:
        _secret_url(url.reveal())
    except Unfit as wrong:
        mend = wrong.mend if "://" in url.reveal() else "write the incoming webhook's URL, or add token: for a bot"
        raise Unfit(wrong.message, mend, at=("slack",)) from None


def mailbox(value: object) -> str:
    """Return an e-mail address (the addr-spec of RFC 5322 without its comments and quoted forms)."""
    written = text(value).strip()
    if not re.fullmatch(r"[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\]+", written):
        raise Unfit(f"'{written}' is not an e-mail address", "write name@example.org")
    return written


def mailboxes(value: object) -> list[str]:
    """Return one or more e-mail addresses."""
    items = value if isinstance(value, list) else [value]
    if not items:
        raise Unfit("nobody is named", "write name@example.org")
    refuse_all([unfit for index, item in enumerate(items) if (unfit := _mailbox_unfit(item, index))])
    return [mailbox(item) for item in items]


def _mailbox_unfit(value: object, index: int) -> Unfit | None:
    try:
        mailbox(value)
    except Unfit as wrong:
        return Unfit(wrong.message, wrong.mend, at=(index,))
    return None


def smtp_host(value: object) -> str:
    """Return a mail server's name; its port is a setting of its own."""
    name = text(value).strip()
    alone, colon, port = name.removeprefix("smtp://").removeprefix("smtps://").rstrip("/").partition(":")
    if colon and port.isdecimal():
        raise Unfit(f"'{name}' is more than a host", f"write host: {alone} and port: {port}")
    if alone != name or not name or "/" in name or " " in name:
        raise Unfit(f"'{name}' is not the name of a host", "write smtp.example.org")
    return name


def true(value: object) -> bool:
    """Return True for `true`, which is all a kind without an address can say."""
    if text(value).strip() != "true":
        raise Unfit(f"'{value}' is not true", "write terminal: true, or take the receiver out")
    return True


class ReceiverSettings(Frozen):
    """What every kind of receiver has."""

    kind: ClassVar[ReceiverKind]

    name: str
    """What rules call it: the key it stands under."""

    enabled: Flag = True
    """`false` keeps its undelivered messages and sends none."""

    allow_private: Flag = False
    """Let its address point at this machine or a private network."""

    group_by: GroupBy = ("rule",)
    """Alerts alike in these share a message: of rule, source, entry, severity. By default what suits the kind."""

    burst: Seconds = 60.0
    """Rest after a message for the alerts of rules without a `cooldown`; what comes meanwhile leaves together. By default what suits the kind."""

    rate: Rate | None = None
    """Messages at most, `1/s` or `30/m`; by default what the service takes."""

    keep: Seconds | None = None
    """How long a message is tried before it is listed as dead; by default what suits the kind."""

    quiet: QuietSettings | None = None
    """Hold what is not critical during these hours."""

    @property
    def address(self) -> str | None:
        """The URL it sends to, or None where it has none; it may hold a secret."""
        return None


class SlackSettings(ReceiverSettings):
    """A Slack incoming webhook."""

    kind: ClassVar[ReceiverKind] = "slack"

    slack: SecretText
    """The incoming webhook's URL, `https://hooks.slack.com/services/…`, a secret; with `token` the channel, `#desk`."""

    token: SecretText | None = None
    """A bot's token, `xoxb-…`: corrections then answer in the thread of what they correct. A secret."""

    @property
    def address(self) -> str | None:
        """The webhook's URL, or None where a bot posts."""
        return None if self.token else self.slack.reveal()

    @model_validator(mode="after")
    def _fits(self) -> SlackSettings:
        if self.token is None:
            _slack_url(self.slack)
        elif not _CHANNEL.fullmatch(self.slack.reveal()):
            raise Unfit("with a `token` this is the channel", "write its name, #desk, or its id", at=("slack",))
        return self


class WebhookSettings(ReceiverSettings):
    """A signed webhook."""

    kind: ClassVar[ReceiverKind] = "webhook"

    webhook: Annotated[SecretText, BeforeValidator(_secret_url)]
    """The URL that alerts are posted to."""

    secret: SecretTexts = ()
    """What signs them (Standard Webhooks, `whsec_…` or any text); a list while you rotate."""

    headers: SecretHeaders = Field(default_factory=dict)
    """Further HTTP headers; their values are secrets."""

    @property
    def address(self) -> str | None:
        """The URL posted to."""
        return self.webhook.reveal()


class EmailSettings(ReceiverSettings):
    """Mail over SMTP."""

    kind: ClassVar[ReceiverKind] = "email"

    email: Annotated[
        tuple[str, ...],
        BeforeValidator(mailboxes),
        WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
    ]
    """Who receives it: one address or a list."""

    sender: Annotated[str, BeforeValidator(mailbox), WithJsonSchema({"type": "string"})]
    """Whom it comes from."""

    host: Annotated[str, BeforeValidator(smtp_host), WithJsonSchema({"type": "string"})]
    """The SMTP server."""

    port: Annotated[
        int,
        BeforeValidator(between(1, 65535, count, "a port from 1 to 65535")),
        WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 65535}),
    ] = 587
    """Its port: 587 for STARTTLS, 465 for TLS from the start."""

    username: Text | None = None
    """The account, if the server wants one."""

    password: SecretText | None = None
    """Its password. A secret."""

    starttls: Flag = True
    """Refuse to send without TLS. `false` only for a server on this machine."""


class TerminalSettings(ReceiverSettings):
    """The daemon's own standard output."""

    kind: ClassVar[ReceiverKind] = "terminal"

    terminal: Annotated[Literal[True], BeforeValidator(true), WithJsonSchema({"const": True})]
    """`true`: alerts are printed where the daemon runs."""


class AppriseSettings(ReceiverSettings):
    """Any service of the apprise package (`pip install live-update-monitor[apprise]`)."""

    kind: ClassVar[ReceiverKind] = "apprise"

    apprise: SecretTexts
    """One apprise URL or a list. Secrets."""


KINDS: Mapping[str, type[ReceiverSettings]] = {
    kind.kind: kind for kind in (SlackSettings, WebhookSettings, EmailSettings, TerminalSettings, AppriseSettings)
}
