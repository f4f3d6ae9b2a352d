"""Durations, sizes, counts and flags mean one thing or are refused with a mend."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.settings import units


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("30s", 30),
        ("10m", 600),
        ("1h30m", 5400),
        ("2d", 172_800),
        ("500ms", 0.5),
        ("1w", 604_800),
        ("0", 0),
        (" 1.5h ", 5400),
    ],
)
def test_durations_are_read(written, seconds):
    assert units.duration(written) == seconds


@pytest.mark.parametrize(
    "written", ["", "15", "-5s", "s", "1h 30m", "1y", "12:30", "١٥s", "1e3s", "nan", "∞", "9" * 30 + "d"]
)
def test_what_is_no_duration_is_refused_with_a_mend(written):
    with pytest.raises(units.Unfit) as refused:
        units.duration(written)
    assert refused.value.mend


@pytest.mark.parametrize(
    ("written", "size"),
    [("8MiB", 8 * 2**20), ("64KiB", 65_536), ("2MB", 2_000_000), ("1 GiB", 2**30), ("1024", 1024), ("1k", 1000)],
)
def test_sizes_are_read(written, size):
    assert units.size(written) == size


@pytest.mark.parametrize("written", ["010", "0x10", "1_000", "1e3", "", "-", "½", "1.0"])
def test_what_is_no_whole_number_is_refused(written):
    with pytest.raises(units.Unfit):
        units.count(written)


@pytest.mark.parametrize(
    ("written", "meant"), [("on", "true"), ("Yes", "true"), ("TRUE", "true"), ("no", "false"), ("0", "false")]
)
def test_loose_words_for_true_and_false_are_named_and_not_taken(written, meant):
    with pytest.raises(units.Unfit) as refused:
        units.flag(written)
    assert refused.value.mend == f"write {meant}"


@given(st.integers(0, 10**7))
def test_seconds_in_words_read_back_as_the_same_seconds(seconds):
    assert units.duration(units.in_words(float(seconds))) == seconds


@pytest.mark.parametrize("read", [units.duration, units.size, units.count, units.flag], ids=lambda read: read.__name__)
@given(written=st.text())
def test_any_text_is_read_or_refused(read, written):
    with contextlib.suppress(units.Unfit):
        read(written)
