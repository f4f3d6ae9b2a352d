"""What is known survives storage, stays small, and never changes under a poll that is thrown away."""

import msgspec
import pytest

from monitor.model import Entry
from monitor.reconcile import Known, ReconcilePolicy, on_page, reconcile
from monitor.reconcile.state import LiveRow, encode, record_of


def test_unchanged_page_writes_nothing(source, kit):
    source.poll(kit.timeline())
    assert source.last.rows == {}
    assert source.last.memory is None
    assert source.verdict == "unchanged:same_page"


def test_one_edit_writes_one_row(source, kit):
    page = kit.timeline()
    page[3] = kit.post(3, -30, text="Only this entry was rewritten by its author in the meantime.")
    source.poll(page)
    assert set(source.last.rows) == {"e3"}


def test_memory_is_small(kit):
    source = kit.source()
    page = kit.timeline()
    source.poll(page)
    for minute in range(1, 60):
        page = [kit.post(minute, minute, title=f"Report {minute}"), *page][:8]
        source.poll(page)
    assert len(source.memory) < 1000
    gone = [row for key, row in source.rows.items() if key in source.known.gone]
    assert max(map(len, gone)) < 800


def test_poll_thrown_away_leaves_what_was_known_as_it_was(source, kit):
    known = source.known
    before = dict(known.live), dict(known.gone), known.memory
    page = kit.snapshot([kit.post(9, 1), *kit.timeline()[2:]], 3)
    reconcile(known, page, policy=ReconcilePolicy(), new_id=lambda: "x")
    assert (dict(known.live), dict(known.gone), known.memory) == before


def test_same_poll_on_same_state_gives_same_result(source, kit):
    page = kit.snapshot([kit.post(9, 1), *kit.timeline()[1:]], 3)
    one, two = (reconcile(source.known, page, policy=ReconcilePolicy(), new_id=lambda: "x") for _ in range(2))
    assert (one.changes, one.rows, one.memory) == (two.changes, two.rows, two.memory)


def test_text_no_encoding_can_hold_is_stored_with_replacements():
    row = LiveRow(1, Entry(0, "half a pair: \ud83d"), 1, ((2, 0),))
    assert "half a pair: ?" in encode(row).decode()


def test_row_of_an_older_normaliser_is_read_again_instead_of_told_as_edited(source, kit):
    old = {
        key: encode(msgspec.structs.replace(record.row, normaliser=0, versions=((1, 0),)))
        for key, record in source.known.live.items()
    }
    known = Known.load(old, source.memory)
    result = reconcile(known, kit.snapshot(kit.timeline(), 3), policy=ReconcilePolicy(), new_id=lambda: "x")
    assert result.changes == ()


def test_bytes_that_are_not_ours_are_refused():
    with pytest.raises(ValueError):
        Known.load({"a": b"{}"}, None)


def test_row_holds_the_publishers_offset(kit):
    record = record_of("a", LiveRow(1, kit.post(0, 5), 1, ((2, 0),)), ())
    again = Known.load({"a": encode(record.row)}, None).live["a"]
    assert again.entry == record.entry


def test_a_row_says_whether_the_page_still_shows_its_entry(source, kit):
    shown = {key for key, row in source.rows.items() if on_page(row)}
    assert shown == set(source.known.live)
    source.poll([kit.post(9, 1), kit.post(10, 0.5), *kit.timeline()[:5]])
    source.poll([kit.post(11, 2), kit.post(9, 1), kit.post(10, 0.5), *kit.timeline()[:4]])
    assert {key for key, row in source.rows.items() if not on_page(row)} == set(source.known.gone)
    assert source.known.gone
