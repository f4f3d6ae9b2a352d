"""A damaged feed adds what is whole in it, and says nothing of what is known."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from monitor.daemon.judging import Watch, find_changes, is_believable
from monitor.model import ChangeType, Entry, Reading, Snapshot, SourceRef, Verdict, VerdictKind
from monitor.reconcile import reconcile

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WATCH = Watch(SourceRef("s"))
TRUNCATED = Verdict(VerdictKind.SUSPECT, "the document ends in the middle", "truncated")
ELSEWHERE = Verdict(VerdictKind.SUSPECT, "the document takes text from elsewhere", "external_entity")
WALL = Verdict(VerdictKind.SUSPECT, "a challenge page", "challenge")
TEXTS = {n: f"Report number {n} tells of the bridge over the river and of its keepers" for n in range(1, 12)}


def page(numbers, kind="feed", **texts):
    changed = {int(name[1:]): text for name, text in texts.items()}
    entries = tuple(
        Entry(position=at, text=changed.get(n, TEXTS[n]), native_id=f"id-{n}") for at, n in enumerate(numbers)
    )
    return Snapshot(entries, kind, NOW)


def ids(prefix):
    return (f"{prefix}{n}" for n in range(1000)).__next__


def known_of(numbers):
    return reconcile(None, page(numbers), new_id=ids("e")).known


def changes_of(known, verdict, snapshot):
    return find_changes(WATCH, known, Reading(verdict, snapshot), snapshot, epoch=1, head=0, new_id=ids("n"))


def test_a_cut_feed_adds_its_new_entries_and_neither_edits_nor_removes():
    known = known_of([5, 4, 3, 2, 1])
    found = changes_of(known, TRUNCATED, page([7, 6, 5, 4], _5="Report number 5 was cut he"))
    assert {(delta.change.type, delta.change.entry.native_id) for delta in found.deltas} == {
        (ChangeType.NEW, "id-7"),
        (ChangeType.NEW, "id-6"),
    }
    assert found.reconciled.verdict == TRUNCATED


def test_a_text_whose_part_from_elsewhere_was_left_out_is_no_edit():
    found = changes_of(known_of([3, 2, 1]), ELSEWHERE, page([4, 3, 2], _3="Report number 3 tells of "))
    assert [(delta.change.type, delta.change.entry.native_id) for delta in found.deltas] == [(ChangeType.NEW, "id-4")]


def test_the_next_whole_page_finds_the_state_unharmed():
    known = changes_of(known_of([5, 4, 3, 2, 1]), TRUNCATED, page([7, 6, 5])).reconciled.known
    again = changes_of(known, Verdict(VerdictKind.OK), page([7, 6, 5, 4, 3, 2, 1]))
    assert again.deltas == ()


def test_a_cut_feed_without_anything_new_changes_nothing():
    known = known_of([5, 4, 3, 2, 1])
    found = changes_of(known, TRUNCATED, page([5, 4]))
    assert (found.deltas, found.reconciled.rows, found.reconciled.memory) == ((), {}, None)


def test_only_damaged_feeds_are_believed_that_far():
    known = known_of([2, 1])
    assert is_believable(Reading(TRUNCATED, page([3, 2])), known)
    assert is_believable(Reading(ELSEWHERE, page([3, 2])), known)
    assert not is_believable(Reading(TRUNCATED, page([3, 2])), None)
    assert not is_believable(Reading(TRUNCATED, page([3, 2], kind="page")), known)
    assert not is_believable(Reading(WALL, page([3, 2])), known)
    assert not is_believable(Reading(WALL, None), known)
    assert is_believable(Reading(Verdict(VerdictKind.OK), page([3, 2], kind="page")), None)


@pytest.mark.parametrize(
    ("configured", "on_the_page", "title"),
    [(None, " The bridge\n live ", "The bridge live"), ("Our name", "The bridge live", "Our name"), (None, None, None)],
)
def test_a_source_is_called_what_the_settings_call_it_or_else_what_it_calls_itself(configured, on_the_page, title):
    snapshot = replace(page([3, 2, 1]), title=on_the_page)
    watch = Watch(SourceRef("s", configured))
    reading = Reading(Verdict(VerdictKind.OK), snapshot)
    found = find_changes(watch, known_of([2, 1]), reading, snapshot, epoch=1, head=0, new_id=ids("n"))
    assert [delta.source.title for delta in found.deltas] == [title]
