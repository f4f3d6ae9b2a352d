"""Paragraphs an operator calls furniture are no content, from the first page on or from when they are named."""

from datetime import UTC, datetime, timedelta

from monitor.model import Entry, Snapshot
from monitor.reconcile import Known, ReconcilePolicy, reconcile

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
APPEAL = "Support our reporting from 5 euros a month."
POLICY = ReconcilePolicy(furniture=(APPEAL,))


def page(*tails, minute=0):
    entries = tuple(
        Entry(position=at, text=f"Report {len(tails) - at} tells of the bridge over the river.\n\n{tail}".strip())
        for at, tail in enumerate(tails)
    )
    return Snapshot(entries, "page", NOW + timedelta(minutes=minute))


def ids(start=0):
    return (f"e{number}" for number in range(start, 100)).__next__


def significances(found):
    return [change.significance for change in found.changes if change.significance != "cosmetic"]


def test_a_named_paragraph_that_comes_and_goes_is_no_edit():
    known = reconcile(None, page(APPEAL, "", ""), policy=POLICY, new_id=ids()).known
    found = reconcile(known, page("", "", APPEAL, minute=1), policy=POLICY, new_id=ids())
    assert significances(found) == []


def test_the_same_paragraph_is_an_edit_where_nobody_named_it():
    known = reconcile(None, page("", "", ""), new_id=ids()).known
    found = reconcile(known, page("", "", APPEAL, minute=1), new_id=ids())
    assert significances(found) != []


def test_naming_a_paragraph_later_edits_nothing_and_is_remembered():
    first = reconcile(None, page(APPEAL, "", ""), new_id=ids())
    named = reconcile(first.known, page("", APPEAL, "", "", minute=1), policy=POLICY, new_id=ids(50))
    assert [change.type for change in named.changes] == ["new"]
    stored = Known.load({**first.rows, **named.rows}, named.memory)
    found = reconcile(stored, page("", "", "", "", minute=2), policy=POLICY, new_id=ids())
    assert significances(found) == []
