"""Settings → what each room needs of them. Pure: the one place that knows both sides' names."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.daemon import paging
from monitor.daemon.delivery.setup import rule_options
from monitor.daemon.judging import Watch
from monitor.daemon.poll import RulesInForce, SourcePlan
from monitor.daemon.polled import Timing
from monitor.fetch import FetchLimits, FetchRequest, FetchSettings, HostPolicy, ParseWorker, ParseWorkerSettings
from monitor.model import ReadOptions, SourceRef
from monitor.reconcile import ReconcilePolicy
from monitor.rules import compile_rules
from monitor.settings import LimitSettings, Settings, SourceSettings

if TYPE_CHECKING:
    from monitor.store import Retention

PATIENCE = 3.0  # wall clock a parse may take for each second of processor time, on a machine with other work


def source_plans(settings: Settings) -> dict[str, SourcePlan]:
    """Return how each enabled source is polled, by its id."""
    return {id_: source_plan(settings, source) for id_, source in settings.sources.items() if source.enabled}


def source_plan(settings: Settings, source: SourceSettings) -> SourcePlan:
    """Return how one source is polled."""
    limits = settings.limits
    rules = {name: rule for name, rule in settings.rules.items() if rule.enabled and rule.looks_at(source)}
    # 30 s: the wait for the host's turn
    deadline = limits.total_time + limits.parse_time * PATIENCE * 2 + 30.0 + paging.MAX_SECONDS
    return SourcePlan(
        watch=_watch(source, frozenset(rules)),
        request=FetchRequest(
            url=source.url,
            allow_private=source.allow_private,
            headers={name: secret.reveal() for name, secret in source.headers.items()},
            limits=_fetch_limits(limits),
            robots="respect" if source.robots else "ignore",
            proxy=source.proxy,
            render=source.render,
        ),
        options=ReadOptions(
            kind=source.kind,
            timezone=source.timezone,
            language=source.language,
            select=dict(source.select),
            max_entries=limits.entries,
            max_entry_characters=limits.entry_characters,
            max_title_characters=limits.title_characters,
        ),
        timing=Timing(source.every, source.quiet_pace, source.cron, source.timezone),
        deadline=deadline,
    )


def moved(before: Mapping[str, SourcePlan], after: Mapping[str, SourcePlan]) -> set[str]:
    """Return the sources of both whose pace or address differs: their next poll is to be timed anew."""
    return {
        id_
        for id_ in before.keys() & after.keys()
        if (before[id_].timing, before[id_].request.url) != (after[id_].timing, after[id_].request.url)
    }


def rules_in_force(settings: Settings) -> RulesInForce:
    """Compile the enabled rules and load the word lists of the sources' languages: seconds, so not for the event loop.

    Raises RuleError; settings that were loaded have been checked and do not.
    """
    enabled = {name: rule for name, rule in settings.rules.items() if rule.enabled}
    ruleset = compile_rules({name: rule.match for name, rule in enabled.items()})
    if enabled:
        ruleset.prepare({source.language or "en" for source in settings.sources.values() if source.enabled})
    return RulesInForce(ruleset, {name: rule_options(rule) for name, rule in enabled.items()})


def fetch_settings(settings: Settings) -> FetchSettings:
    """Return how the fetcher presents itself and behaves."""
    fetch = settings.fetch
    hosts = HostPolicy(concurrency=fetch.per_host, spacing=fetch.spacing)
    return FetchSettings(
        contact=fetch.contact,
        user_agent=fetch.user_agent,
        proxy=fetch.proxy,
        hosts=hosts,
        concurrency=fetch.concurrency,
        browser=fetch.browser,
    )


def parse_worker(settings: Settings) -> ParseWorker:
    """Return the killable parser with its limits."""
    limits = settings.limits
    return ParseWorker(
        ParseWorkerSettings(
            deadline=limits.parse_time * PATIENCE,
            cpu_seconds=math.ceil(limits.parse_time),
            address_space=limits.parse_memory,
            quarantine=settings.state_dir / "quarantine",
        )
    )


def retention(settings: Settings) -> Retention:
    """Return how long the store keeps things."""
    from monitor.store import Retention

    kept = settings.retention
    return Retention(
        revisions=timedelta(seconds=kept.revisions) or None,
        revisions_per_entry=kept.revisions_per_entry,
        bodies=None if kept.bodies is None else timedelta(seconds=kept.bodies),
        outbox=timedelta(seconds=kept.outbox),
    )


def _watch(source: SourceSettings, rules: frozenset[str]) -> Watch:
    policy = ReconcilePolicy(
        ids=source.ids,
        whole=True if source.whole else None,
        confirm_removed=source.confirm_removed,
        confirm_mass=source.confirm_mass,
        furniture=tuple(source.furniture),
    )
    shown_url = None if source.is_file else source.url
    return Watch(
        ref=SourceRef(id=source.id, title=source.title, url=shown_url),
        language=source.language or "en",
        policy=policy,
        announce_cosmetic=source.announce_cosmetic,
        rules=rules,
    )


def _fetch_limits(limits: LimitSettings) -> FetchLimits:
    return FetchLimits(
        wire_bytes=limits.wire_size,
        decoded_bytes=limits.decoded_size,
        ratio=limits.ratio,
        header_bytes=limits.header_size,
        connect=limits.connect_time,
        idle=limits.idle_time,
        total=limits.total_time,
        redirects=limits.redirects,
    )
