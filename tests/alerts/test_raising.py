"""Which alerts a delta raises, judged on its two texts and on nothing remembered but what was told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.alerts import RuleOptions, consider_poll, raise_alerts
from monitor.model import ChangeType, Judgement

NEW, EDITED, REMOVED, RESTORED = ChangeType.NEW, ChangeType.EDITED, ChangeType.REMOVED, ChangeType.RESTORED
HALTED = {"halted": RuleOptions(notify=("desk",))}

# What happens to one entry, and the kinds of the alerts told about it.
SEQUENCES = {
    "a new entry says it": ([(NEW, "evacuation suspended")], ["new"]),
    "the entry was there at the first poll": ([(ChangeType.BASELINE, "evacuation suspended")], []),
    "an entry of the first poll is edited and still says it": (
        [(ChangeType.BASELINE, "suspended"), (EDITED, "suspended again")],
        [],
    ),
    "a slip is corrected into the word": ([(NEW, "suspecnded"), (EDITED, "suspended")], ["edited"]),
    "a told entry is edited elsewhere": ([(NEW, "suspended by regmie"), (EDITED, "suspended by regime")], ["new"]),
    "the word is taken away": ([(NEW, "suspended"), (EDITED, "resumed")], ["new", "retracted"]),
    "the word of an entry of the first poll is taken away": (
        [(ChangeType.BASELINE, "suspended"), (EDITED, "resumed")],
        [],
    ),
    "the entry is removed": ([(NEW, "suspended"), (REMOVED, "suspended")], ["new", "removed"]),
    "taken away, then back": (
        [(NEW, "suspended"), (EDITED, "resumed"), (EDITED, "suspended")],
        ["new", "retracted", "edited"],
    ),
    "removed, then restored": (
        [(NEW, "suspended"), (REMOVED, "suspended"), (RESTORED, "suspended")],
        ["new", "removed", "new"],
    ),
    "a second occurrence comes in": ([(NEW, "suspended"), (EDITED, "suspended, suspended")], ["new"]),
    "nothing of it was ever said": ([(NEW, "all calm"), (EDITED, "still calm"), (REMOVED, "still calm")], []),
    "taken away twice": ([(NEW, "suspended"), (EDITED, "resumed"), (REMOVED, "resumed")], ["new", "retracted"]),
}


def tell(blog, steps, options=HALTED):
    told = []
    for type_, text in steps:
        delta = blog.change(type_, text)
        blog.text = text
        for alert in raise_alerts(delta, blog.judge(delta), options, now=blog.now, delivered=blog.earlier):
            blog.earlier[alert.rule, delta.change.entry_id] = alert
            told.append(alert)
    return told


@pytest.mark.parametrize("name", SEQUENCES)
def test_the_right_alerts_come_of(blog, name):
    steps, kinds = SEQUENCES[name]
    assert [alert.kind.value for alert in tell(blog, steps)] == kinds


def test_the_same_delta_judged_again_gives_the_same_id(blog):
    delta = blog.change(NEW, "suspended")
    first, again = (
        raise_alerts(delta, blog.judge(delta), HALTED, now=blog.now + timedelta(seconds=wait), delivered={})
        for wait in (0, 60)
    )
    assert [alert.id for alert in first] == [alert.id for alert in again]


def test_ids_differ_by_rule_entry_and_revision(blog, id_of):
    from monitor.model import AlertKind

    one = blog.change(NEW, "suspended")
    other_entry = replace(one, change=replace(one.change, entry_id="e2"))
    other_revision = replace(one, change=replace(one.change, revision=9))
    ids = {
        id_of("halted", one, AlertKind.NEW),
        id_of("other", one, AlertKind.NEW),
        id_of("halted", one, AlertKind.EDITED),
        id_of("halted", other_entry, AlertKind.NEW),
        id_of("halted", other_revision, AlertKind.NEW),
    }
    assert len(ids) == 5


def test_a_correction_names_the_alert_it_corrects(blog):
    fired, correction = tell(blog, [(NEW, "suspended"), (EDITED, "resumed")])
    assert correction.corrects == fired.id
    assert correction.id != fired.id


def test_an_entry_published_too_long_ago_is_kept_with_the_reason(blog):
    delta = blog.change(NEW, "suspended", published=blog.now - timedelta(days=3))
    considered = consider_poll([(delta, blog.judge(delta))], HALTED, now=blog.now, earlier={})
    assert raise_alerts(delta, blog.judge(delta), HALTED, now=blog.now, delivered={}) == ()
    assert [alert.suppressed for alert in considered.alerts] == ["published 3 days before it was seen (max_age 24 h)"]


def test_an_edit_that_brings_the_word_into_an_old_entry_is_news(blog):
    blog.text = "calm"
    delta = blog.change(EDITED, "suspended", published=blog.now - timedelta(days=30))
    assert len(raise_alerts(delta, blog.judge(delta), HALTED, now=blog.now, delivered={})) == 1


def test_each_new_match_fires_only_above_what_was_told(blog):
    options = {"halted": RuleOptions(policy="each_new_match")}
    steps = [
        (NEW, "suspended"),
        (EDITED, "suspended suspended"),
        (EDITED, "suspended"),
        (EDITED, "suspended suspended"),
    ]
    assert [alert.kind.value for alert in tell(blog, steps, options)] == ["new", "edited"]


def test_every_change_fires_on_each_edit_that_is_more_than_cosmetic(blog):
    options = {"halted": RuleOptions(policy="every_change")}
    assert len(tell(blog, [(NEW, "suspended"), (EDITED, "suspended still")], options)) == 2


def test_a_flood_of_new_entries_is_kept_and_told_once_to_the_operators(blog):
    deltas = [blog.change(NEW, "suspended", entry=f"e{number}") for number in range(60)]
    judged = [(delta, blog.judge(delta)) for delta in deltas]
    poll = consider_poll(judged, HALTED, now=blog.now, earlier={}, new_entries=60, entries=60)
    assert {alert.suppressed for alert in poll.alerts} == {poll.flood}
    assert len(poll.alerts) == 60
    assert poll.flood is not None
    assert "60 of 60" in poll.flood


def test_much_news_after_a_time_without_polls_is_no_flood(blog):
    deltas = [blog.change(NEW, "suspended", entry=f"e{number}") for number in range(60)]
    judged = [(delta, blog.judge(delta)) for delta in deltas]
    poll = consider_poll(judged, HALTED, now=blog.now, earlier={}, new_entries=60, entries=100, catch_up=True)
    assert poll.flood is None
    assert {(alert.suppressed, alert.catch_up) for alert in poll.alerts} == {(None, True)}


def test_the_rules_note_goes_with_its_alerts_and_a_correction_says_what_happened(blog):
    options = {"halted": RuleOptions(note="Call the crisis desk.")}
    notes = [alert.note for alert in tell(blog, [(NEW, "suspended"), (EDITED, "resumed")], options)]
    assert notes == ["Call the crisis desk.", "the entry no longer says it"]


def test_many_new_entries_of_a_much_longer_page_are_news(blog):
    delta = blog.change(NEW, "suspended")
    poll = consider_poll([(delta, blog.judge(delta))], HALTED, now=blog.now, earlier={}, new_entries=60, entries=400)
    assert poll.flood is None
    assert poll.alerts[0].suppressed is None


def test_a_rule_inhibits_another_only_where_the_receiver_hears_of_it(blog):
    options = {
        "halted": RuleOptions(notify=("desk", "archive")),
        "halted-in-aleppo": RuleOptions(notify=("desk",), inhibits=("halted",)),
    }
    delta = blog.change(NEW, "suspended")
    judgements = [Judgement(rule, "fired", blog.matches("suspended"), 0, 1) for rule in options]
    halted, specific = raise_alerts(delta, judgements, options, now=blog.now, delivered={})
    assert halted.muted == (("desk", "inhibited by rule halted-in-aleppo"),)
    assert halted.suppressed is None
    assert specific.muted == ()


def test_an_alert_inhibited_everywhere_is_kept_with_the_reason(blog):
    options = {
        "halted": RuleOptions(notify=("desk",)),
        "specific": RuleOptions(notify=("desk",), inhibits=("halted",)),
    }
    delta = blog.change(NEW, "suspended")
    judgements = [Judgement(rule, "fired", (), 0, 1) for rule in options]
    considered = consider_poll([(delta, judgements)], options, now=blog.now, earlier={})
    assert [alert.suppressed for alert in considered.alerts] == ["inhibited by rule specific", None]


def test_a_rule_that_already_holds_of_the_entry_inhibits_too(blog):
    options = {
        "halted": RuleOptions(notify=("desk",)),
        "specific": RuleOptions(notify=("desk",), inhibits=("halted",)),
    }
    blog.text = "x"
    delta = blog.change(EDITED, "suspended")
    judgements = [Judgement("halted", "fired", (), 0, 1), Judgement("specific", "holds", (), 1, 1)]
    assert raise_alerts(delta, judgements, options, now=blog.now, delivered={}) == ()


@pytest.mark.parametrize(
    ("baseline", "age", "told"),
    [("silent", 1, False), ("fresh", 1, True), ("fresh", 11, False), ("digest", 600, True)],
)
def test_the_first_poll_tells_what_the_rule_asks_for(blog, baseline, age, told):
    options = {"halted": RuleOptions(baseline=baseline, fresh=timedelta(minutes=10))}
    delta = blog.change(ChangeType.BASELINE, "suspended", published=blog.now - timedelta(minutes=age))
    assert bool(raise_alerts(delta, blog.judge(delta), options, now=blog.now, delivered={})) == told
