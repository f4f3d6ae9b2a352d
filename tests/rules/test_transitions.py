"""Series of edits: what a rule tells its readers, judged from the text before and after each change alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from monitor.alerts.options import RuleOptions
from monitor.alerts.raising import consider_poll
from monitor.daemon.judging import Watch, judge_deltas
from monitor.model import Change, ChangeType, Delta, Entry, Revision, Significance, SourceRef, Stamp
from monitor.rules import RuleText, compile_rules

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
REF = SourceRef("blog")
FIRED = "Evacuation suspended"


class Blog:
    """One source whose entries change one poll at a time; `told` is what readers hear."""

    def __init__(self, rule="suspended", policy="once_per_entry"):
        self.rule(rule)
        self.options = {"rule": RuleOptions(policy=policy)}
        self.texts: dict[str, str] = {}
        self.revisions: dict[str, int] = {}
        self.alerts = {}
        self.latest = {}
        self.told: list[str] = []
        self.sequence = 0
        self.floods = 0

    def rule(self, rule):
        self.ruleset = compile_rules({"rule": rule})

    def poll(self, *changes, entries=0):
        judged = [
            (one.delta, one.judgements)
            for one in judge_deltas(Watch(ref=REF, rules=frozenset(["rule"])), changes, self.ruleset)
        ]
        new = sum(delta.change.type is ChangeType.NEW for delta in changes)
        found = consider_poll(
            judged, self.options, now=NOW, earlier=self.latest, new_entries=new, entries=entries or new
        )
        self.floods += found.flood is not None
        for alert in found.alerts:
            if alert.suppressed is None and alert.id not in self.alerts:
                self.alerts[alert.id] = alert
                self.latest[alert.rule, alert.delta.change.entry_id] = alert
                self.told.append(alert.kind.value)
        return self

    def delta(self, type_, name, text, age=timedelta(), significance=None):
        before = self.texts.get(name)
        self.revisions[name] = self.revisions.get(name, 0) + 1
        previous = Revision(self.revisions[name] - 1, None, before) if before is not None else None
        self.texts[name] = text
        self.sequence += 1
        entry = Entry(position=0, text=text, published=Stamp(NOW - age))
        change = Change(type_, name, entry, self.revisions[name], previous, significance=significance)
        return Delta(REF, 1, self.sequence, NOW, change)

    def baseline(self, text, name="e"):
        self.texts[name], self.revisions[name] = text, 1
        return self

    def new(self, text, name="e", age=timedelta()):
        return self.poll(self.delta(ChangeType.NEW, name, text, age), entries=20)

    def edit(self, text, name="e"):
        return self.poll(self.delta(ChangeType.EDITED, name, text, significance=Significance.MINOR))

    def remove(self, name="e"):
        return self.poll(self.delta(ChangeType.REMOVED, name, self.texts[name]))


def replayed():
    blog = Blog()
    delta = blog.delta(ChangeType.NEW, "e", FIRED)
    return blog.poll(delta, entries=9).poll(delta, entries=9)


def renumbered():
    blog = Blog()
    return blog.poll(*(blog.delta(ChangeType.NEW, f"e{at}", FIRED) for at in range(60)))


def rule_added_later():
    blog = Blog("unrelated").new(f"{FIRED}, regmie says")
    blog.rule("suspended")
    return blog.edit(f"{FIRED}, regime says")


SERIES = {
    "a new entry": (lambda: Blog().new(FIRED), ["new"]),
    "the first poll": (lambda: Blog().baseline(FIRED), []),
    "an old entry edited that still matches": (lambda: Blog().baseline(FIRED).edit(f"{FIRED} again"), []),
    "a slip corrected": (lambda: Blog().new("Evacuation suspecnded").edit(FIRED), ["edited"]),
    "an edit elsewhere": (lambda: Blog().new(f"{FIRED} by regmie").edit(f"{FIRED} by regime"), ["new"]),
    "the word taken out": (lambda: Blog().new(FIRED).edit("Evacuation goes on"), ["new", "retracted"]),
    "the word taken out of an old entry": (lambda: Blog().baseline(FIRED).edit("Evacuation goes on"), []),
    "the entry removed": (lambda: Blog().new(FIRED).remove(), ["new", "removed"]),
    "taken out and put back": (
        lambda: Blog().new(FIRED).edit("It goes on").edit(FIRED),
        ["new", "retracted", "edited"],
    ),
    "the same change twice": (replayed, ["new"]),
    "two entries": (lambda: Blog().new(FIRED, "a").new(FIRED, "b"), ["new", "new"]),
    "a second occurrence": (lambda: Blog().new(FIRED).edit(f"{FIRED}. Talks suspended"), ["new"]),
    "a second occurrence, each told": (
        lambda: Blog(policy="each_new_match").new(FIRED).edit(f"{FIRED}. Talks suspended"),
        ["new", "edited"],
    ),
    "an exclusion taken out": (
        lambda: Blog("suspended NOT drill").new("suspended drill").edit("suspended"),
        ["edited"],
    ),
    "published three days ago": (lambda: Blog().new(FIRED, age=timedelta(days=3)), []),
    "sixty new entries at once": (renumbered, []),
    "a rule added later": (rule_added_later, []),
    "every change told": (lambda: Blog(policy="every_change").new(FIRED).edit(f"{FIRED} again"), ["new", "edited"]),
}


@pytest.mark.parametrize("series", SERIES)
def test_readers_hear_of_each_turn_and_of_nothing_else(series):
    happens, told = SERIES[series]
    assert happens().told == told


def test_a_flood_of_new_entries_is_one_notice():
    assert renumbered().floods == 1


def test_a_second_occurrence_of_a_natural_phrase_is_told_where_each_is_asked_for():
    blog = Blog("ceasefire violation", policy="each_new_match").new("A ceasefire violation.")
    assert blog.edit("A ceasefire violation. Another violation of the ceasefire.").told == ["new", "edited"]


@pytest.mark.parametrize(
    ("before", "after", "transition"),
    [
        (None, FIRED, "fired"),
        ("x", FIRED, "fired"),
        (FIRED, "x", "retracted"),
        (FIRED, None, "retracted"),
        (FIRED, f"{FIRED}!", "holds"),
    ],
)
def test_a_judgement_compares_the_two_texts(before, after, transition):
    texts = [None if text is None else RuleText(text) for text in (before, after)]
    (judgement,) = compile_rules({"rule": "suspended"}).judge(*texts)
    assert judgement.transition == transition
    assert [match.text for match in judgement.matches] == ["suspended"]
    assert (judgement.occurrences_before, judgement.occurrences_after) == (
        int(before == FIRED),
        int(FIRED in (after or "")),
    )


def test_nothing_is_said_of_a_rule_true_of_neither_text():
    assert compile_rules({"rule": "fire"}).judge(RuleText("x"), RuleText("y")) == ()


def test_texts_before_and_after_may_be_of_different_languages():
    ruleset = compile_rules({"rule": "evacuation"})
    before, after = RuleText("L’évacuation", language="fr"), RuleText("Evacuations", language="en")
    assert [one.transition for one in ruleset.judge(before, after)] == ["holds"]
    assert replace(after, language="xx") != after
