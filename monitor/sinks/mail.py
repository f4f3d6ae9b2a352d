"""Mail over SMTP (RFC 5321): plain text, so that no source text can be markup, with headers that cannot be broken out of.

`address` is the server, `options` hold `port`, `sender`, `username`, `starttls`; the one secret is the password. SMTP has
no idempotency key: the Message-ID is the message's, the same on every try, and mail clients fold repeats by it.
"""

from __future__ import annotations

import asyncio
import smtplib
import socket
import ssl
from collections.abc import Mapping
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP

from monitor.alerts import Notice, ReceiverPolicy
from monitor.sinks.base import Delivered, GiveUp, Letter, Outcome, Rendered, Retry, SinkKind, Target
from monitor.sinks.words import notice_lines, subject
from monitor.text.addresses import refusal
from monitor.text.characters import printable

POLICY = ReceiverPolicy(
    burst=timedelta(minutes=5), rate=0.5, rate_burst=5, in_flight=1, keep=timedelta(hours=24), full_items=25
)
MAX_SUBJECT = 200
_PRIORITY: Mapping[str, str] = {"critical": "1 (Highest)", "warning": "3 (Normal)", "info": "5 (Lowest)"}


class Mail:
    """Sends to one list of recipients through one server."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._sender = target.options["sender"]

    def render(self, notice: Notice) -> Rendered:
        """Return the whole message; its date is when the notice was composed."""
        mail = EmailMessage(policy=SMTP)
        mail["From"] = self._sender
        mail["To"] = ", ".join(self._target.recipients)
        mail["Subject"] = " ".join(printable(subject(notice)).split())[:MAX_SUBJECT] or notice.reference
        mail["Date"] = notice.composed_at
        mail["Message-ID"] = f"<{notice.id}@{self._sender.rsplit('@', 1)[-1]}>"
        mail["X-Priority"] = _PRIORITY[notice.severity]
        # RFC 3834 §5: automatic responders must not answer an alert.
        mail["Auto-Submitted"] = "auto-generated"
        if notice.form == "corrected" and notice.answers:
            mail["In-Reply-To"] = mail["References"] = notice.answers.decode()
        mail.set_content("\n".join(printable(line) for line in notice_lines(notice)) + "\n", cte="base64")
        return Rendered(mail.as_bytes())

    async def send(self, letter: Letter) -> Outcome:
        """Hand the message to the server once."""
        return await asyncio.to_thread(self._send, letter)

    async def close(self) -> None:
        """Nothing is kept open between messages."""

    def _send(self, letter: Letter) -> Outcome:
        target = self._target
        try:
            with self._connected() as server:
                if target.options.get("starttls", "true") == "true" and not isinstance(server, smtplib.SMTP_SSL):
                    server.starttls(context=ssl.create_default_context())
                if target.options.get("username"):
                    server.login(target.options["username"], target.secrets[0] if target.secrets else "")
                refused = server.sendmail(self._sender, list(target.recipients), letter.body)
        except smtplib.SMTPException as error:
            # smtplib turns the time limit of a read into "closed unexpectedly", in its context.
            hung = isinstance(error.__context__, TimeoutError)
            return Retry(f"no answer within {target.timeout:g} s") if hung else judge(error)
        except _Refused as error:
            return GiveUp(f"its address is refused: {error} (allow_private: true lets it through)", disable=True)
        except ssl.SSLError:
            return Retry("TLS could not be agreed on")
        except TimeoutError:
            return Retry(f"no answer within {target.timeout:g} s")
        except OSError as error:
            return Retry(f"it cannot be reached ({type(error).__name__})")
        receipt = f"<{letter.id}@{self._sender.rsplit('@', 1)[-1]}>".encode()
        return Delivered("250" if not refused else f"250, {len(refused)} of the recipients refused", receipt)

    def _connected(self) -> smtplib.SMTP:
        target = self._target
        port = int(target.options.get("port", "587"))
        tls = port == 465
        server: smtplib.SMTP = _GuardedTls(target) if tls else _Guarded(target)
        server.connect(target.address, port)
        return server


KIND = SinkKind(Mail, POLICY)


class _Refused(OSError):
    """Our own guard refuses the server's address."""


class _Guarded(smtplib.SMTP):
    """A client whose every connection is judged by the address it is about to make."""

    def __init__(self, target: Target) -> None:
        super().__init__(timeout=target.timeout, local_hostname="localhost")
        self._allow_private = target.allow_private

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return _connect(host, port, timeout, self._allow_private)


class _GuardedTls(smtplib.SMTP_SSL):
    """The same with TLS from the start."""

    def __init__(self, target: Target) -> None:
        self._allow_private = target.allow_private
        super().__init__(timeout=target.timeout, local_hostname="localhost", context=ssl.create_default_context())

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = _connect(host, port, timeout, self._allow_private)
        return self.context.wrap_socket(plain, server_hostname=host)


def judge(error: smtplib.SMTPException) -> Outcome:
    """Return what an SMTP failure means: 4xx may work later, 5xx never (RFC 5321 §4.2.1)."""
    code = _code(error)
    status = str(code) if code else ""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return (
            GiveUp(f"it refused the account with {status}", status, disable=code >= 500)
            if code >= 500
            else Retry(f"it refused the account with {status}", status)
        )
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return GiveUp("it offers no TLS, or no way to log in", disable=True)
    if code in {552, 554}:
        return GiveUp(f"it refused the message with {status}", status)
    if code >= 500:
        return GiveUp(f"it answered {status}", status, disable=isinstance(error, smtplib.SMTPRecipientsRefused))
    return Retry(f"it answered {status}" if code else "it closed the connection", status)


def _code(error: smtplib.SMTPException) -> int:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return max((int(code) for code, _ in error.recipients.values()), default=0)
    return int(getattr(error, "smtp_code", 0))


def _connect(host: str, port: int, timeout: float, allow_private: bool) -> socket.socket:
    """Connect to the first address of the host that answers; refused ones are never tried."""
    reasons: list[OSError] = []
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        reason = refusal(str(address[0]), allow_private=allow_private)
        if reason is not None:
            reasons.append(_Refused(reason))
            continue
        plain = socket.socket(family, kind, protocol)
        try:
            plain.settimeout(timeout)
            plain.connect(address)
        except OSError as error:
            plain.close()
            reasons.append(error)
        else:
            return plain
    raise next(
        (one for one in reasons if not isinstance(one, _Refused)), reasons[0] if reasons else OSError("no address")
    )
