"""Settings → what the delivery needs of them: rules' wishes, and receivers with their sinks.

Rule: pure but for making sinks, which open nothing until they send. A receiver's hash tells whether it was configured
anew; it is taken over everything that decides where and as whom it sends, and shows none of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from monitor.alerts import Escalation, QuietHours, ReceiverPolicy, RuleOptions
from monitor.daemon.delivery.deliverer import DeliverySetup
from monitor.daemon.delivery.values import Receiver
from monitor.settings import Settings
from monitor.settings.alerting import DAYS, QuietSettings
from monitor.settings.receiver import (
    AppriseSettings,
    EmailSettings,
    ReceiverSettings,
    SlackSettings,
    WebhookSettings,
)
from monitor.settings.rule import RuleSettings
from monitor.sinks import SINKS, Target

FOR_EVER = timedelta(days=36_500)


def delivery_setup(settings: Settings) -> DeliverySetup:
    """Return who is told, how, and by which rules' wishes."""
    return DeliverySetup(
        receivers=tuple(receiver_of(one) for one in settings.receivers.values()),
        rules={name: rule_options(rule) for name, rule in settings.rules.items() if rule.enabled},
        operators=tuple(settings.operators),
    )


def rule_options(rule: RuleSettings) -> RuleOptions:
    """Return what is done when a rule fires."""
    escalate = rule.escalate
    return RuleOptions(
        severity=rule.severity,
        notify=tuple(rule.notify),
        cooldown=timedelta(seconds=rule.cooldown) if rule.cooldown else None,
        cooldown_max=None if rule.cooldown_max is None else timedelta(seconds=rule.cooldown_max),
        policy=rule.policy,
        max_age=timedelta(seconds=rule.max_age) if rule.max_age else FOR_EVER,
        baseline=rule.baseline,
        fresh=timedelta(seconds=rule.fresh),
        inhibits=tuple(rule.inhibits),
        escalate=None
        if escalate is None
        else Escalation(
            count=int(escalate.count),
            within=timedelta(seconds=escalate.within),
            sources=int(escalate.sources),
            to=escalate.to,
            notify=tuple(escalate.notify),
        ),
        mention=rule.mention,
        note=rule.note,
    )


def receiver_of(settings: ReceiverSettings) -> Receiver:
    """Return one receiver with its sink."""
    kind = SINKS[settings.kind]
    target = target_of(settings)
    return Receiver(
        name=settings.name,
        sink=kind.make(target),
        policy=policy_of(settings, kind.policy),
        target=target,
        configured=_hash(settings.kind, target),
        enabled=settings.enabled,
    )


def target_of(settings: ReceiverSettings) -> Target:
    """Return where a receiver is and what it needs to be written to."""
    target = Target(settings.name, allow_private=settings.allow_private)
    match settings:
        case SlackSettings():
            token = (settings.token.reveal(),) if settings.token else ()
            return replace(target, address=settings.slack.reveal(), secrets=token)
        case WebhookSettings():
            return replace(
                target,
                address=settings.webhook.reveal(),
                secrets=tuple(secret.reveal() for secret in settings.secret),
                headers={name: value.reveal() for name, value in settings.headers.items()},
            )
        case EmailSettings():
            options = {"port": str(settings.port), "sender": settings.sender, "username": settings.username or ""}
            return replace(
                target,
                address=settings.host,
                secrets=(settings.password.reveal(),) if settings.password else (),
                options=options | {"starttls": "true" if settings.starttls else "false"},
                recipients=tuple(settings.email),
            )
        case AppriseSettings():
            return replace(target, secrets=tuple(secret.reveal() for secret in settings.apprise))
        case _:
            return target


def policy_of(settings: ReceiverSettings, usual: ReceiverPolicy) -> ReceiverPolicy:
    """Return the pace of a receiver: what its kind takes, and what the settings say otherwise."""
    said = settings.model_fields_set
    policy = usual
    if "group_by" in said:
        policy = replace(policy, group_by=tuple(settings.group_by))
    if "burst" in said:
        policy = replace(policy, burst=timedelta(seconds=settings.burst))
    if settings.rate is not None:
        policy = replace(policy, rate=settings.rate, rate_burst=max(1, int(settings.rate)))
    if settings.keep is not None:
        policy = replace(policy, keep=timedelta(seconds=settings.keep))
    if settings.quiet is not None:
        policy = replace(policy, quiet=_quiet(settings.quiet))
    return policy


def _quiet(quiet: QuietSettings) -> QuietHours:
    days = frozenset(DAYS.index(day) for day in quiet.days)
    return QuietHours(quiet.start, quiet.end, ZoneInfo(quiet.timezone), days)


def _hash(kind: str, target: Target) -> str:
    parts: Mapping[str, object] = {
        "kind": kind,
        "address": target.address,
        "secrets": target.secrets,
        "headers": sorted(target.headers.items()),
        "options": sorted(target.options.items()),
        "recipients": target.recipients,
        "allow_private": target.allow_private,
    }
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
