"""What Prometheus may know: counters and gauges whose labels come from the settings alone, never from a source.

Rule: names follow the conventions of prometheus.io/docs/practices/naming; every series exists at 0 from the start, so that
an alert on its rate can fire the first time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from monitor import __version__
from monitor.daemon.completeness import CONCERNS
from monitor.daemon.delivery.values import Settled
from monitor.daemon.poll import PollResult
from monitor.daemon.report import CONDITIONS, Report
from monitor.model import VerdictKind
from monitor.sinks import Delivered

DELAYS = (1, 2.5, 5, 10, 20, 30, 60, 120, 300, 900, 3600)
SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
FAILURES = ("auth", "client_error", "rate_limited", "server_error", "other")
CHANGES = ("new", "edited", "removed", "restored")


def failure(status: str) -> str:
    """Return the kind of a failed try by what the receiver answered; what is no number never arrived.

    HTTP's classes are told apart (RFC 9110 §15); mail's codes of the same hundreds mean the same to an operator.
    """
    if not status.isdecimal():
        return "other"
    if status in ("401", "403"):
        return "auth"
    return {"429": "rate_limited"}.get(status) or {"4": "client_error", "5": "server_error"}.get(status[:1], "other")


class Metrics:
    """The daemon's own figures; one registry a daemon."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._gauge("monitor_build_info", "1, with the version.", "version").labels(__version__).set(1)
        self._of_sources()
        self._of_publishing()
        self._of_receivers()
        self.reload_ok = self._gauge("monitor_config_last_reload_successful", "1 if the last reload was put in force.")
        self.reload_at = self._gauge(
            "monitor_config_last_reload_success_timestamp_seconds", "When settings were last put in force."
        )
        self.kills = self._counter("monitor_parser_kills", "Parsers killed by what they read.")
        self.jumps = self._counter("monitor_clock_jumps", "Times the wall clock jumped.")
        self._counted: dict[str, float] = {}  # what other parts had counted at the last look

    def _of_sources(self) -> None:
        self.polls = self._counter("monitor_polls", "Polls by outcome.", "source", "outcome")
        self.poll_seconds = self._histogram("monitor_poll_duration_seconds", "Time of one poll.", SECONDS)
        self.lateness = self._histogram("monitor_poll_lateness_seconds", "How late polls start.", SECONDS)
        self.last_success = self._gauge("monitor_source_last_success_timestamp_seconds", "Last good poll.", "source")
        self.state = self._gauge("monitor_source_state", "1 for the state a source is in.", "source", "state")
        self.concern = self._gauge(
            "monitor_source_concern", "1 while it may hide something though it answers.", "source", "concern"
        )
        self.entries = self._counter("monitor_entries", "Announced changes.", "source", "change")
        self.delay = self._histogram(
            "monitor_detection_delay_seconds", "From published to seen, of new entries.", DELAYS
        )

    def _of_publishing(self) -> None:
        self.outbox = self._gauge("monitor_outbox_pending", "Messages that wait for Redis.")
        self.outbox_age = self._gauge("monitor_outbox_oldest_age_seconds", "Age of the oldest of them.")
        self.published = self._counter("monitor_published", "Messages put into streams.")
        self.redis_up = self._gauge("monitor_redis_up", "1 while the server takes messages.")

    def _of_receivers(self) -> None:
        self.matches = self._counter("monitor_rule_matches", "Alerts raised.", "rule")
        self.sent = self._counter("monitor_notifications", "Messages tried.", "receiver")
        self.failed = self._counter("monitor_notifications_failed", "Tries that failed.", "receiver", "reason")
        self.notified_after = self._histogram(
            "monitor_notification_latency_seconds",
            "From composing a message, or its last try, to what came of the try.",
            SECONDS,
        )
        self.dead = self._gauge("monitor_dead_letters", "Messages given up.")

    def _gauge(self, name: str, words: str, *labels: str) -> Gauge:
        return Gauge(name, words, labels, registry=self.registry)

    def _counter(self, name: str, words: str, *labels: str) -> Counter:
        return Counter(name, words, labels, registry=self.registry)

    def _histogram(self, name: str, words: str, buckets: Sequence[float]) -> Histogram:
        return Histogram(name, words, buckets=buckets, registry=self.registry)

    def expect(self, sources: tuple[str, ...], rules: tuple[str, ...], receivers: tuple[str, ...]) -> None:
        """Create every series of these names at 0."""
        for source in sources:
            for kind in VerdictKind:
                self.polls.labels(source, kind.value)
            for change in CHANGES:
                self.entries.labels(source, change)
            for condition in CONDITIONS:
                self.state.labels(source, condition)
            for code in CONCERNS:
                self.concern.labels(source, code)
        for rule in rules:
            self.matches.labels(rule)
        for receiver in receivers:
            self.sent.labels(receiver)
            for reason in FAILURES:
                self.failed.labels(receiver, reason)

    def reloaded(self, *, ok: bool, at: datetime) -> None:
        """Note that settings were read again, and whether they were put in force."""
        self.reload_ok.set(ok)
        if ok:
            self.reload_at.set(at.timestamp())

    def polled(self, result: PollResult, seconds: float) -> None:
        """Count one poll and what it found."""
        self.polls.labels(result.source_id, result.verdict.kind.value).inc()
        self.poll_seconds.observe(seconds)
        for delta in result.deltas:
            self.entries.labels(result.source_id, delta.change.type.value).inc()
            if delta.change.type.value == "new" and delta.late_by is not None:
                self.delay.observe(delta.late_by)
        for alert in result.alerts:
            self.matches.labels(alert.rule).inc()

    def settled(self, settled: Settled) -> None:
        """Count one try of one message and what came of it."""
        self.sent.labels(settled.receiver).inc()
        self.notified_after.observe(settled.waited)
        if not isinstance(settled.outcome, Delivered):
            self.failed.labels(settled.receiver, failure(settled.outcome.status)).inc()

    def stands(self, report: Report) -> None:
        """Take over how everything stands."""
        for source in report.sources:
            for condition in CONDITIONS:
                self.state.labels(source.id, condition).set(source.condition == condition)
            present = {concern.code for concern in source.concerns}
            for code in CONCERNS:
                self.concern.labels(source.id, code).set(code in present)
            if source.poll.last_ok_at is not None:
                self.last_success.labels(source.id).set(source.poll.last_ok_at.timestamp())
        self.outbox.set(report.outbox.depth)
        oldest = report.outbox.oldest_at
        self.outbox_age.set(0 if oldest is None else max(0.0, (report.at - oldest).total_seconds()))
        self.dead.set(report.dead_letters)

    def takes(self, figures: Mapping[str, float], *, redis_up: bool) -> None:
        """Take over the figures that other parts count themselves: published, kills, jumps."""
        self.redis_up.set(redis_up)
        for name, counter in (("published", self.published), ("kills", self.kills), ("jumps", self.jumps)):
            counter.inc(max(0.0, figures[name] - self._counted.get(name, 0.0)))
        self._counted = dict(figures)

    def render(self) -> bytes:
        """Return the metrics page in Prometheus' text format."""
        return generate_latest(self.registry)
