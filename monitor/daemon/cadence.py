"""When a source is asked next: its pace follows the publisher's, its trouble slows it down and never stops it.

Rule: pure; time and chance are arguments. Times are seconds, rates entries an hour.
"""

from __future__ import annotations

from collections.abc import Iterable

# A tenth of the age is what HTTP takes for fresh where nobody says (RFC 9111 §4.2.2); a live desk wants less: asking 20
# times per usual gap between entries finds one after a fortieth of it on average.
POLLS_PER_GAP = 20.0
SLOWING = 1.25  # an interval grows by this a poll at most: a pause in a busy blog is not its end
WAKING = 4.0  # and is cut by this when a poll brings something: news seldom comes alone
HINT_STRETCH = 4.0  # a freshness hint may slow a source down to this many floors, never further
ERROR_CEILING = 900.0  # a failing source is asked every quarter of an hour at least
GONE_PAUSE = 3600.0  # after 410: paused, yet looked at every hour, because sites are mended
TOLERATED = 3  # odd pages, or refusals that say for how long, in a row: asked again then; more of them slow it down
JITTER = 0.1  # a poll is late by up to this part of its interval, so that sources of one start drift apart
DEFERRED = ("host_backoff", "host_busy")  # codes of fetches that asked nobody: nobody's failure


def next_delay(
    floor: float,
    ceiling: float,
    failures: int = 0,
    *,
    jitter: float,
    retry_after: float | None = None,
    code: str = "",
    suspect: bool = False,
    changed: bool = False,
    last: float | None = None,
    entry_rate: float | None = None,
    fresh_for: float | None = None,
) -> float:
    """Return the seconds until a source is asked again.

    `failures` polls in a row, this one included and deferred ones left out, were not good; `suspect` and `code` are of this one's verdict; `changed`
    says that it brought something; `last` is the interval before it; `fresh_for` is what the publisher promises (Cache-
    Control, Expires, ttl). `jitter` is in [0, 1) and only delays. Never earlier than `floor` or than `retry_after` asks,
    and always some time: there is no state in which a source is given up.
    """
    if code in DEFERRED:
        delay = floor
    elif code == "gone":
        delay = max(floor, GONE_PAUSE)
    elif failures:
        tolerated = TOLERATED if suspect or retry_after is not None else 0
        delay = _backed_off(floor, failures - tolerated)
    else:
        usual = _usual(floor, ceiling, changed, last, entry_rate)
        delay = _hinted(usual, floor, ceiling, entry_rate, fresh_for)
    return max(delay, retry_after or 0.0) * (1.0 + JITTER * jitter)


def shortest(hints: Iterable[float | None]) -> float | None:
    """Return the least of the hints that were given: Cache-Control and a feed's ttl rarely agree."""
    return min((hint for hint in hints if hint is not None), default=None)


def _usual(floor: float, ceiling: float, changed: bool, last: float | None, entry_rate: float | None) -> float:
    """The publisher's own pace, reached slowly when it falls and at once when something happens."""
    if last is None or entry_rate is None:
        return floor  # nothing is known: a blog just added is one somebody waits for
    target = 3600.0 / entry_rate / POLLS_PER_GAP if entry_rate > 0 else ceiling
    step = last / WAKING if changed else last * SLOWING
    return _within(floor, ceiling, min(target, step))


def _hinted(delay: float, floor: float, ceiling: float, entry_rate: float | None, fresh_for: float | None) -> float:
    """A page that says it stays fresh is believed a little, unless its entries come faster than it says."""
    if fresh_for is None or fresh_for <= delay or (entry_rate and 3600.0 / entry_rate < fresh_for):
        return delay
    return _within(floor, ceiling, max(delay, min(fresh_for, HINT_STRETCH * floor)))


def _backed_off(floor: float, times: int) -> float:
    """Doubling from the floor, up to a quarter of an hour or the floor itself if that is longer."""
    return max(floor, min(floor * 2.0 ** max(0, min(times, 16)), ERROR_CEILING))


def _within(floor: float, ceiling: float, delay: float) -> float:
    return min(max(delay, floor), max(ceiling, floor))
