"""What an operator types for a time is read alike by every command, and told where it has no meaning."""

from datetime import UTC, datetime, timedelta

import click
import pytest

from monitor.cli.moments import moment

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "meaning"),
    [
        ("90s", NOON - timedelta(seconds=90)),
        ("10m", NOON - timedelta(minutes=10)),
        ("2 h", NOON - timedelta(hours=2)),
        ("7d", NOON - timedelta(days=7)),
        ("2026-11-22T10:00Z", NOON - timedelta(hours=2)),
        ("2026-11-22T13:00+02:00", NOON - timedelta(hours=1)),
    ],
)
def test_an_age_and_an_iso_time_are_read(typed, meaning):
    assert moment(typed, NOON) == meaning


def test_a_time_without_an_offset_is_local():
    assert moment("2026-11-22T10:00", NOON) == datetime(2026, 11, 22, 10).astimezone()


@pytest.mark.parametrize("typed", ["soon", "2w", "-5m", "", "99999999999d", "0000-01-01", "1e3s"])
def test_what_has_no_meaning_is_told_with_what_would_have(typed):
    with pytest.raises(click.BadParameter, match=r"neither an id.* nor a time \(2026-11-22T10:00Z\) nor an age \(2h\)"):
        moment(typed, NOON, also="an id (1-42)")
