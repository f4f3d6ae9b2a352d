"""When it is quiet."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from monitor.alerts import QuietHours


@pytest.mark.parametrize(
    ("now", "ends"),
    [
        ("2026-03-02T21:59:00+01:00", None),
        ("2026-03-02T22:00:00+01:00", "2026-03-03T06:00:00+01:00"),
        ("2026-03-03T05:59:59+01:00", "2026-03-03T06:00:00+01:00"),
        ("2026-03-03T06:00:00+01:00", None),
        ("2026-03-29T01:30:00+01:00", "2026-03-29T06:00:00+02:00"),  # the night that summer time begins
    ],
)
def test_quiet_hours_go_over_midnight_and_over_summer_time(now, ends):
    quiet = QuietHours(time(22), time(6), ZoneInfo("Europe/Berlin"))
    assert quiet.ends_after(datetime.fromisoformat(now)) == (datetime.fromisoformat(ends) if ends else None)


def test_quiet_days_are_those_of_the_evening():
    quiet = QuietHours(time(22), time(6), UTC, days=frozenset({4}))  # Friday night
    assert quiet.ends_after(datetime(2026, 3, 7, 5, 0, tzinfo=UTC)) == datetime(2026, 3, 7, 6, 0, tzinfo=UTC)
    assert quiet.ends_after(datetime(2026, 3, 7, 23, 0, tzinfo=UTC)) is None
