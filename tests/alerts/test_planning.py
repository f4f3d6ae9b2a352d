"""When waiting alerts leave, together with which others, and why the rest does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, time, timedelta

import pytest

from monitor.alerts import Escalation, GroupState, Past, QuietHours, ReceiverPolicy, RuleOptions, Silence, plan
from monitor.model import AlertKind


def leave(outlook, now, limit=100):
    return plan(outlook, now=now, limit=limit)


def test_the_first_alert_leaves_at_once(desk, noon):
    one = desk.waiting()
    assert [draft.alert_ids for draft in leave(desk.outlook(one), noon).drafts] == [(one.alert_id,)]


def test_alerts_of_one_poll_leave_in_one_message_in_their_order(desk, noon):
    several = [desk.waiting() for _ in range(3)]
    (draft,) = leave(desk.outlook(*several), noon).drafts
    assert draft.form == "digest"
    assert draft.alert_ids == tuple(one.alert_id for one in several)


def test_rules_are_told_apart(desk, noon):
    drafts = leave(desk.outlook(desk.waiting("a"), desk.waiting("b")), noon).drafts
    assert {draft.group for draft in drafts} == {"rule=a", "rule=b"}


def test_a_burst_rests_and_then_leaves_together(desk, noon):
    state = {"rule=halted": GroupState(noon, timedelta(minutes=10), "warning")}
    outlook = desk.outlook(desk.waiting(), desk.waiting(), groups=state)
    resting = leave(outlook, noon + timedelta(minutes=9))
    assert resting.drafts == ()
    assert {verdict.reason for verdict in resting.verdicts} == {"cooldown"}
    assert resting.next_at == noon + timedelta(minutes=10)
    assert len(leave(outlook, noon + timedelta(minutes=10)).drafts) == 1


def test_nothing_is_said_again_about_an_alert_whose_hold_is_known(desk, noon):
    state = {"rule=halted": GroupState(noon, timedelta(minutes=10), "warning")}
    known = replace(desk.waiting(), held_until=noon + timedelta(minutes=10), held_because="cooldown")
    assert leave(desk.outlook(known, groups=state), noon).verdicts == ()


def test_what_is_graver_breaks_through_and_takes_the_waiting_with_it(desk, noon):
    state = {"rule=halted": GroupState(noon, timedelta(minutes=10), "warning")}
    mild, grave = desk.waiting(), desk.waiting(severity="critical")
    (draft,) = leave(desk.outlook(mild, grave, groups=state), noon).drafts
    assert draft.alert_ids == (mild.alert_id, grave.alert_id)
    assert draft.severity == "critical"


def test_as_grave_as_before_does_not_break_through(desk, noon):
    state = {"rule=halted": GroupState(noon, timedelta(minutes=10), "critical")}
    assert leave(desk.outlook(desk.waiting(severity="critical"), groups=state), noon).drafts == ()


def test_nothing_overtakes_a_message_that_is_being_delivered(desk, noon):
    state = {"rule=halted": GroupState(noon - timedelta(hours=1), timedelta(0), "info", busy=True)}
    assert leave(desk.outlook(desk.waiting(severity="critical"), groups=state), noon).drafts == ()


def test_a_rules_own_cooldown_counts_before_the_receivers(desk, noon):
    rules = {"halted": RuleOptions(cooldown=timedelta(minutes=7))}
    policy = ReceiverPolicy(group_by=("rule", "entry"), burst=timedelta(0))
    (draft,) = leave(desk.outlook(desk.waiting(), rules=rules, policy=policy), noon).drafts
    assert (draft.group, draft.rest) == ("rule=halted", timedelta(minutes=7))


@pytest.mark.parametrize(
    ("since", "rest"),
    [(10, 20), (19, 20), (25, 10), (80, 10)],
)
def test_the_cooldown_doubles_in_bursts_and_comes_back_in_quiet(desk, noon, since, rest):
    rules = {"halted": RuleOptions(cooldown=timedelta(minutes=10), cooldown_max=timedelta(minutes=60))}
    state = {"rule=halted": GroupState(noon, timedelta(minutes=10), "warning")}
    now = noon + timedelta(minutes=since)
    one = desk.waiting(raised_at=now)
    (draft,) = leave(desk.outlook(one, rules=rules, groups=state), now).drafts
    assert draft.rest == timedelta(minutes=rest)


def test_escalation_counts_alerts_and_sources_within_the_time(desk, noon):
    rules = {"halted": RuleOptions(escalate=Escalation(3, timedelta(minutes=15), sources=2, notify=("chief",)))}
    one = desk.waiting(number=9)
    few = (Past(7, noon, "a"), Past(9, noon, "a"))
    enough = (Past(7, noon, "a"), Past(8, noon - timedelta(minutes=15), "b"), Past(9, noon, "a"))
    one_source = (Past(7, noon, "a"), Past(8, noon, "a"), Past(9, noon, "a"))
    for past, severity, also in [
        (few, "warning", ()),
        (one_source, "warning", ()),
        (enough, "critical", ((one.alert_id, "chief"),)),
    ]:
        decided = leave(desk.outlook(one, rules=rules, of_rule={"halted": past}), noon)
        assert (decided.drafts[0].severity, decided.also) == (severity, also)


def silence(noon, **matchers):
    return Silence(4, matchers, noon - timedelta(hours=1), noon + timedelta(hours=1), "ana", "drill")


def test_a_silenced_alert_is_kept_with_who_and_why(desk, noon):
    decided = leave(desk.outlook(desk.waiting(), silences=(silence(noon, rule="hal*", source="aleppo"),)), noon)
    assert decided.drafts == ()
    assert [(one.state, one.reason) for one in decided.verdicts] == [("suppressed", "silence 4 by ana: drill")]


@pytest.mark.parametrize(
    "matchers", [{}, {"rule": "other"}, {"rule": "*", "severity": "critical"}, {"receiver": "archive"}, {"tag": "x"}]
)
def test_a_silence_keeps_only_what_matches_all_of_it(desk, noon, matchers):
    assert leave(desk.outlook(desk.waiting(), silences=(silence(noon, **matchers),)), noon).drafts


def test_an_alert_raised_during_a_silence_stays_silent_after_it(desk, noon):
    outlook = desk.outlook(desk.waiting(), silences=(silence(noon, rule="halted"),))
    assert leave(outlook, noon + timedelta(hours=3)).drafts == ()


def test_a_silence_that_ends_in_a_digest_holds_and_then_tells_all_of_it_at_once(desk, noon):
    digest = replace(silence(noon, source="aleppo"), on_end="digest")
    several = [desk.waiting("a"), desk.waiting("b", severity="critical"), desk.waiting("a")]
    outlook = desk.outlook(*several, silences=(digest,))
    during = leave(outlook, noon)
    assert during.drafts == ()
    assert {(one.state, one.reason, one.until) for one in during.verdicts} == {
        ("held", "silence 4 by ana: drill", digest.ends_at)
    }
    (draft,) = leave(outlook, digest.ends_at).drafts
    assert (draft.form, draft.late, draft.severity) == ("digest", True, "critical")
    assert draft.alert_ids == tuple(one.alert_id for one in several)


def test_what_came_after_such_a_silence_does_not_join_its_digest(desk, noon):
    digest = replace(silence(noon, rule="halted"), on_end="digest")
    before, after = desk.waiting(), desk.waiting(raised_at=digest.ends_at)
    drafts = leave(desk.outlook(before, after, silences=(digest,)), digest.ends_at).drafts
    assert [draft.alert_ids for draft in drafts] == [(before.alert_id,), (after.alert_id,)]


def test_a_silence_that_drops_counts_before_one_that_ends_in_a_digest(desk, noon):
    both = (replace(silence(noon, rule="halted"), on_end="digest"), replace(silence(noon, rule="*"), id=5))
    decided = leave(desk.outlook(desk.waiting(), silences=both), noon)
    assert [(one.state, one.reason) for one in decided.verdicts] == [("suppressed", "silence 5 by ana: drill")]


def test_what_was_held_for_long_is_marked_late(desk, noon, minutes):
    outlook = desk.outlook(desk.waiting())
    assert [draft.late for draft in leave(outlook, noon + minutes(30)).drafts] == [False]
    assert [draft.late for draft in leave(outlook, noon + minutes(31)).drafts] == [True]


def test_quiet_hours_hold_and_let_what_is_critical_through(desk, noon):
    policy = ReceiverPolicy(quiet=QuietHours(time(11), time(14), UTC))
    mild, grave = desk.waiting("a"), desk.waiting("b", severity="critical")
    decided = leave(desk.outlook(mild, grave, policy=policy), noon)
    assert [draft.alert_ids for draft in decided.drafts] == [(grave.alert_id,)]
    assert decided.next_at == noon + timedelta(hours=2)


def test_what_quiet_hours_held_overnight_is_not_too_old_in_the_morning(desk, noon):
    night = replace(desk.waiting(), raised_at=noon - timedelta(hours=12), held_until=noon, held_because="quiet hours")
    assert len(leave(desk.outlook(night), noon).drafts) == 1


def test_an_alert_nobody_could_be_told_expires_with_a_reason(desk, noon):
    decided = leave(desk.outlook(desk.waiting()), noon + timedelta(hours=7))
    assert [verdict.state for verdict in decided.verdicts] == ["expired"]


def correction(desk, of, **more):
    usual = {"kind": AlertKind.RETRACTED, "corrects": of.alert_id, "entry": of.entry}
    return desk.waiting(**usual | more)


def test_an_alert_and_its_withdrawal_that_both_wait_cancel_each_other(desk, noon):
    fired = desk.waiting()
    decided = leave(desk.outlook(fired, correction(desk, fired, told="waiting")), noon)
    assert decided.drafts == ()
    assert {verdict.state for verdict in decided.verdicts} == {"cancelled"}


def test_a_correction_waits_for_the_alert_it_corrects(desk, noon):
    late = correction(desk, desk.waiting(), told="under_way", thread="m1")
    assert [verdict.state for verdict in leave(desk.outlook(late), noon).verdicts] == ["held"]


@pytest.mark.parametrize("told", ["lost", "never"])
def test_what_was_never_heard_is_not_corrected(desk, noon, told):
    decided = leave(desk.outlook(correction(desk, desk.waiting(), told=told)), noon)
    assert [verdict.state for verdict in decided.verdicts] == ["suppressed"]


def test_what_is_said_again_waits_for_the_correction_before_it(desk, noon):
    first = desk.waiting()
    back = correction(desk, first, told="sent", thread="m1")
    again = desk.waiting(entry=first.entry, kind=AlertKind.EDITED)
    other = desk.waiting("other", entry=first.entry, kind=AlertKind.EDITED)
    decided = leave(desk.outlook(back, again, other), noon)
    assert {draft.alert_ids for draft in decided.drafts} == {(back.alert_id,), (other.alert_id,)}
    assert [verdict.reason for verdict in decided.verdicts] == ["the correction before it goes first"]
    under_way = desk.outlook(again, correcting=frozenset({(again.rule, again.entry)}))
    assert [verdict.state for verdict in leave(under_way, noon).verdicts] == ["held"]
    assert len(leave(desk.outlook(again), noon).drafts) == 1


def test_a_correction_that_is_never_told_holds_nothing_back(desk, noon):
    first = desk.waiting()
    back = correction(desk, first, told="never")
    again = desk.waiting(entry=first.entry, kind=AlertKind.EDITED)
    assert [draft.alert_ids for draft in leave(desk.outlook(back, again), noon).drafts] == [(again.alert_id,)]


def test_a_correction_answers_its_message_through_cooldown_silence_and_quiet_hours(desk, noon):
    one = correction(desk, desk.waiting(), told="sent", thread="m1")
    outlook = desk.outlook(
        one,
        groups={"rule=halted": GroupState(noon, timedelta(hours=1), "critical")},
        silences=(silence(noon, rule="*"),),
        policy=ReceiverPolicy(quiet=QuietHours(time(11), time(14), UTC)),
    )
    (draft,) = leave(outlook, noon).drafts
    assert (draft.form, draft.thread, draft.rest) == ("corrected", "m1", timedelta(0))


def flapping(noon, *offsets):
    """Alerts that say it and take it back in turn."""
    return tuple(
        Past(number, noon + timedelta(minutes=at), "aleppo", correction=bool(place % 2))
        for place, (number, at) in enumerate(zip(range(101, 200), offsets, strict=False))
    )


def test_a_flapping_entry_is_held_until_it_settles_and_then_told_once(desk, noon):
    past = {("halted", "e"): flapping(noon, 0, 1, 2, 3, 4)}
    taken_back = {"kind": AlertKind.RETRACTED, "corrects": "third", "told": "sent", "thread": "m3"}
    fourth = desk.waiting(number=104, entry="e", raised_at=noon + timedelta(minutes=3), **taken_back)
    fifth = desk.waiting(number=105, entry="e", raised_at=noon + timedelta(minutes=4), kind=AlertKind.EDITED)
    outlook = desk.outlook(fourth, fifth, of_entry=past)
    held = leave(outlook, noon + timedelta(minutes=5))
    assert held.drafts == ()
    assert held.next_at == noon + timedelta(minutes=14)
    (draft,) = leave(outlook, noon + timedelta(minutes=14)).drafts
    assert (draft.alert_ids, draft.flips) == ((fifth.alert_id,), 4)


def test_edits_that_keep_saying_it_are_no_flapping(desk, noon):
    past = {("halted", "e"): tuple(Past(number, noon, "aleppo") for number in range(101, 109))}
    one = desk.waiting(number=108, entry="e", kind=AlertKind.EDITED)
    assert len(leave(desk.outlook(one, of_entry=past), noon).drafts) == 1


def test_the_last_word_of_a_flapping_entry_answers_what_was_told_last(desk, noon):
    past = {("halted", "e"): flapping(noon, 0, 1, 2, 3, 4, 5)}
    at = [noon + timedelta(minutes=number) for number in range(6)]
    gone = desk.waiting(number=104, entry="e", raised_at=at[3], kind=AlertKind.RETRACTED, corrects="x", told="sent")
    back = desk.waiting(number=105, entry="e", raised_at=at[4], kind=AlertKind.EDITED)
    last = correction(desk, back, number=106, raised_at=at[5], told="waiting", standing="message-3")
    decided = leave(desk.outlook(gone, back, last, of_entry=past), noon + timedelta(minutes=30))
    assert [(draft.form, draft.thread) for draft in decided.drafts] == [("corrected", "message-3")]


def test_what_comes_late_gathers_into_one_digest_over_all_rules(desk, noon):
    several = [desk.waiting(rule, catch_up=True) for rule in ("a", "b", "c")]
    grave = desk.waiting("d", catch_up=True, severity="critical")
    early = leave(desk.outlook(*several, grave), noon + timedelta(seconds=5))
    assert [draft.alert_ids for draft in early.drafts] == [(grave.alert_id,)]
    drafts = leave(desk.outlook(*several), noon + timedelta(seconds=15)).drafts
    assert [(draft.late, len(draft.alert_ids)) for draft in drafts] == [(True, 3)]


def test_a_pile_of_groups_becomes_one_digest_and_what_is_critical_stays_apart(desk, noon):
    pile = [desk.waiting(f"rule-{number}") for number in range(30)]
    grave = desk.waiting("grave", severity="critical")
    drafts = leave(desk.outlook(*pile, grave), noon).drafts
    assert [len(draft.alert_ids) for draft in drafts] == [1, 30]
    assert drafts[0].severity == "critical"


def test_gravest_first_then_corrections_when_not_all_can_leave(desk, noon):
    mild, grave = desk.waiting("a"), desk.waiting("b", severity="critical")
    taken_back = correction(desk, desk.waiting("c"), told="sent", thread="m")
    drafts = leave(desk.outlook(mild, taken_back, grave), noon, limit=2).drafts
    assert [draft.alert_ids for draft in drafts] == [(grave.alert_id,), (taken_back.alert_id,)]


def test_every_waiting_alert_is_in_a_draft_or_has_a_reason(desk, noon):
    """No alert is lost between the steps, whatever mix waits."""
    from hypothesis import given, settings
    from hypothesis import strategies as st

    kinds = st.tuples(
        st.sampled_from(["a", "b"]),
        st.sampled_from(["info", "critical"]),
        st.sampled_from(["e1", "e2"]),
        st.sampled_from(["new", "correction"]),
        st.sampled_from([None, "waiting", "sent", "under_way", "never"]),
        st.integers(0, 500),
        st.booleans(),
    )

    @settings(deadline=None)
    @given(st.lists(kinds, max_size=12), st.integers(0, 600))
    def check(mix, at):
        waiting = []
        for number, (rule, severity, entry, what, told, minute, catch_up) in enumerate(mix, 1):
            raised = {"raised_at": noon + timedelta(minutes=minute), "catch_up": catch_up, "number": number}
            fired = [one.alert_id for one in waiting if one.kind is AlertKind.NEW and one.entry == entry]
            extra = {}
            if what == "correction":
                corrects = fired[-1] if fired else "gone"
                told = told or "sent"
                extra = {"kind": AlertKind.RETRACTED, "corrects": corrects, "told": told, "thread": "m1"}
            waiting.append(
                replace(desk.waiting(rule, severity=severity, entry=entry, **raised, **extra), alert_id=f"x{number}")
            )
        past = {
            (rule, entry): tuple(
                Past(one.number, one.raised_at, "s", correction=one.corrects is not None)
                for one in waiting
                if (one.rule, one.entry) == (rule, entry)
            )
            for rule in "ab"
            for entry in ("e1", "e2")
        }
        decided = leave(desk.outlook(*waiting, of_entry=past), noon + timedelta(minutes=at))
        leaving = [alert_id for draft in decided.drafts for alert_id in draft.alert_ids]
        kept = [verdict.alert_id for verdict in decided.verdicts]
        assert sorted(leaving + kept) == sorted(one.alert_id for one in waiting)

    check()
