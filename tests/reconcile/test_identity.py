"""An entry keeps its id for its whole life, whether or not the publisher gives any."""

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.model import ChangeType, Entry, Stamp
from monitor.reconcile import features


def edited_ids(changes):
    return [change.entry_id for change in changes if change.type is ChangeType.EDITED]


def id_of(source, text):
    return next(key for key, record in source.known.live.items() if record.entry.text.startswith(text[:20]))


def test_first_poll_is_a_baseline_of_every_entry(kit):
    source = kit.source()
    changes = source.poll(kit.timeline(5))
    assert [change.type for change in changes] == [ChangeType.BASELINE] * 5
    assert len({change.entry_id for change in changes}) == 5


def test_new_entry_on_top_is_new_and_nothing_else_is_told(source, kit):
    assert source.told([kit.post(9, 1), *kit.timeline()]) == ["new:Police closed"]


def test_corrected_word_is_an_edit_of_the_same_entry(source, kit):
    page = kit.timeline()
    known = id_of(source, page[3].text)
    page[3] = replace(page[3], text=page[3].text.replace("apologised", "apologized"))
    (change,) = source.poll(page)
    assert (change.type, change.entry_id, change.revision) == (ChangeType.EDITED, known, 2)
    assert change.previous is not None
    assert "apologised" in change.previous.text


def test_title_given_later_belongs_to_the_same_entry(source, kit):
    page = kit.timeline()
    page[2] = replace(page[2], title="Sandbags on Mill Lane")
    (change,) = source.poll(page)
    assert change.type is ChangeType.EDITED
    assert change.tags == ("title",)


def test_placeholder_filled_in_is_an_edit(kit):
    source = kit.source()
    stub = kit.post(0, 1, text="More on this shortly.")
    source.poll([stub, *kit.timeline()])
    assert source.told([kit.post(9, 1), *kit.timeline()]) == ["edited:Police closed"]


def test_placeholder_filled_in_is_the_lower_one_of_its_minute_as_what_is_newer_comes_on_top(kit):
    source = kit.source()
    stub = kit.post(0, 1, text="More on this shortly.")
    source.poll([stub, *kit.timeline()])
    changes = source.poll([kit.post(9, 1), kit.post(10, 1), *kit.timeline()])
    assert {(change.type, change.entry.text) for change in changes} == {
        (ChangeType.NEW, kit.stories[9]),
        (ChangeType.EDITED, kit.stories[10]),
    }


def test_next_placeholder_is_not_the_last_one_that_was_filled_in_below_it(kit):
    source = kit.source()
    source.poll([kit.post(0, 1, text="More on this shortly."), *kit.timeline()])
    changes = source.poll([kit.post(0, 5, text="More on this shortly."), kit.post(9, 1), *kit.timeline()])
    assert {(change.type, change.entry.text) for change in changes} == {
        (ChangeType.NEW, "More on this shortly."),
        (ChangeType.EDITED, kit.stories[9]),
    }


def test_corrected_time_is_an_edit_of_the_field_published_at(source, kit):
    page = kit.timeline()
    page[4] = kit.post(4, -43)
    (change,) = source.poll(page)
    assert [field.field for field in change.changes] == ["published_at"]
    assert change.tags == ("time",)


def test_entry_bumped_to_the_top_with_an_update_stays_itself(source, kit):
    page = kit.timeline()
    known = id_of(source, page[5].text)
    bumped = kit.post(5, 1, text=f"{page[5].text}\n\nThe hall is full, the speech is shown on the square.")
    (change,) = source.poll([bumped, *page[:5], *page[6:]])
    assert (change.type, change.entry_id) == (ChangeType.EDITED, known)


def test_near_duplicate_lines_are_told_apart_by_their_minute(kit):
    source = kit.source()
    lines = [kit.post(0, -n, text=f"Sirens sound in {town}.") for n, town in enumerate(("Ashby", "Corley", "Denton"))]
    source.poll(lines)
    lines[1] = replace(lines[1], text="Sirens sound in Corley again.")
    told = source.told([kit.post(0, 1, text="Sirens sound in Ashby."), *lines])
    assert told == ["edited:Sirens sound", "new:Sirens sound"]
    assert edited_ids(source.last.changes) == ["e1"]


def test_same_line_posted_again_later_is_new(kit):
    source = kit.source()
    page = [kit.post(0, -1, text="Goal!"), *[kit.post(n, -10 * n) for n in range(1, 6)]]
    source.poll(page)
    assert source.told([kit.post(0, 5, text="Goal!"), *page]) == ["new:Goal!"]


def test_pinned_copy_on_top_is_the_entry_below(source, kit):
    page = kit.timeline()
    pinned = replace(page[5], pinned=True)
    assert source.told([pinned, *page]) == []
    assert source.told([replace(page[2], pinned=True), *page]) == []


def test_copy_shown_out_of_order_without_a_flag_is_the_entry_below(source, kit):
    page = kit.timeline()
    assert source.told([page[6], *page]) == []


def test_copy_above_an_oldest_first_page_is_the_entry_in_its_place(kit):
    source = kit.source()
    page = [
        kit.post(n, -10 * n, text=f"Sirens in {town}.") for n, town in enumerate(("Ashby", "Corley", "Denton", "Elm"))
    ]
    oldest_first = page[::-1]
    source.poll(oldest_first, order="oldest_first")
    assert source.told([page[1], *oldest_first], order="oldest_first") == []


def test_merge_is_an_edit_and_a_removal_that_names_the_other(source, kit):
    page = kit.timeline()
    survivor = id_of(source, page[3].text)
    merged = replace(page[3], text=f"{page[3].text}\n\n{page[4].text}")
    shown = [*page[:3], merged, *page[5:]]
    (edit,) = source.poll(shown)
    assert (edit.entry_id, "merged" in edit.tags) == (survivor, True)
    (removal,) = source.poll(shown)
    assert (removal.type, removal.note) == (ChangeType.REMOVED, f"merged into {survivor}")


def test_merge_keeps_the_entry_whose_title_it_shows_whoever_is_told_first_in_it(kit):
    source = kit.source()
    page = kit.timeline()
    page[3] = kit.post(3, -40, title="Summary", text=f"{kit.stories[3]}\n\n{kit.stories[12]}")
    source.poll(page)
    survivor = id_of(source, page[4].text)
    merged = replace(page[4], text=f"{page[3].text}\n\n{page[4].text}")
    (edit,) = source.poll([*page[:3], merged, *page[5:]])
    assert edit.entry_id == survivor


def test_stub_whose_title_stays_is_filled_in_at_the_end_of_a_window(kit):
    source = kit.source()
    page = kit.timeline()
    page[6] = kit.post(6, -60, title="Rain is to move north", text="More on this shortly.")
    source.poll(page)
    after = [kit.post(9, 1), *page[:7]]
    after[7] = replace(page[6], text="\n\n".join(kit.stories[12:16]))
    assert sorted(source.told(after)) == ["edited:Rain is", "new:Police closed"]


def test_entry_rewritten_from_first_to_last_word_at_the_end_of_a_window_stays_itself(kit):
    source = kit.source()
    page = kit.timeline()
    source.poll(page)
    known = id_of(source, page[6].text)
    rewritten = replace(page[6], text="\n\n".join(kit.stories[13:16]))
    changes = source.poll([kit.post(9, 1), *page[:6], rewritten])
    assert [change.entry_id for change in changes if change.type is ChangeType.EDITED] == [known]


def test_split_is_an_edit_and_a_new_entry_that_names_its_origin(kit):
    source = kit.source()
    page = kit.timeline(6)
    page[2] = replace(page[2], text=f"{page[2].text}\n\n{kit.stories[12]}")
    source.poll(page)
    origin = id_of(source, page[2].text)
    halves = [kit.post(12, -19), kit.post(2, -20)]
    changes = {change.type: change for change in source.poll([*page[:2], *halves, *page[3:]])}
    assert changes[ChangeType.NEW].note == f"split from {origin}"
    assert "split" in changes[ChangeType.EDITED].tags


@pytest.mark.parametrize("hours", [1, -5, 2])
def test_page_whose_clock_moved_tells_nothing(source, kit, hours):
    def moved(entry):
        stamp = replace(entry.published, at=entry.published.at + timedelta(hours=hours), text="x")
        return replace(entry, published=stamp)

    page = [moved(entry) for entry in kit.timeline()]
    assert source.told(page) == []
    fresh = moved(kit.post(9, 1))
    assert source.told([fresh, *page]) == ["new:Police closed"]
    assert source.told([fresh, *page]) == []


def test_clock_read_again_after_midnight_keeps_its_first_date(kit):
    source = kit.source()
    late = [kit.post(n, 700 - 5 * n) for n in range(5)]  # 23:40 and before
    source.poll(late, minute=715)
    redated = [replace(e, published=replace(e.published, at=e.published.at + timedelta(days=1))) for e in late]
    assert source.told(redated, minute=725) == []
    source.poll([replace(redated[0], text=redated[0].text + " Now."), *redated[1:]], minute=726)
    record = next(iter(source.known.live.values()))
    assert record.entry.published_at == late[0].published_at


def test_relative_labels_tell_no_edit_while_they_age(kit):
    source = kit.source()
    posted = [0, -7, -25, -70, -200]

    def shown(minute):
        entries = []
        for number, when in enumerate(posted):
            age = minute - when
            unit = 1 if age < 60 else 60
            stamp = Stamp(kit.at(minute - (age // unit + 1) * unit), f"{age // unit} ago", unit * 60, relative=True)
            entries.append(replace(kit.post(number), published=stamp))
        return entries

    for minute in (1, 2, 5, 31, 55, 58, 130, 300):
        assert [t for t in source.told(shown(minute), minute=minute) if "baseline" not in t] == []


class TestPublisherIds:
    def with_ids(self, page, name):
        return [replace(entry, native_id=name(n, entry)) for n, entry in enumerate(page)]

    def stable(self, n, entry):
        return f"block-{sum(map(ord, entry.text)) % 9973}"

    def test_rewritten_text_under_a_stable_id_is_an_edit(self, kit):
        source = kit.source()
        page = self.with_ids(kit.timeline(), self.stable)
        source.poll(page)
        page[3] = replace(page[3], text="Nothing of the first report stands any longer.", title="Correction")
        assert source.told(page) == ["edited:Correction"]

    def test_other_text_under_a_new_id_in_the_same_minute_is_new(self, kit):
        source = kit.source()
        page = self.with_ids(kit.timeline(), self.stable)
        source.poll(page)
        page[3] = replace(page[3], native_id="block-77", text="An unrelated line in the very same minute.")
        assert source.told(page) == ["new:An unrelated"]

    def test_stub_filled_in_keeps_its_id_while_the_next_stub_of_its_minute_stands_above(self, kit):
        source = kit.source()
        page = self.with_ids(kit.timeline(), self.stable)
        stub = kit.post(0, 1, text="More on this shortly.", native_id="block-a")
        source.poll([stub, *page])
        filled = replace(stub, text="Two cranes are being brought in by barge.")
        told = source.told([replace(stub, native_id="block-b"), filled, *page])
        assert sorted(told) == ["edited:Two cranes", "new:More on"]

    def test_regenerated_ids_are_learned_without_a_delta(self, kit):
        source = kit.source()
        source.poll(self.with_ids(kit.timeline(), self.stable))
        renamed = self.with_ids(kit.timeline(), lambda n, e: f"v2-{self.stable(n, e)}")
        assert source.told(renamed) == []
        renamed[1] = replace(renamed[1], text="Sailings resume at noon.")
        assert source.told(renamed) == ["edited:Sailings resume"]

    def test_row_numbers_for_ids_are_not_believed(self, kit):
        source = kit.source()
        page = kit.timeline()
        for minute in range(1, 4):
            page = [kit.post(8 + minute, minute), *page]
            numbered = [replace(entry, native_id=f"post-{n}") for n, entry in enumerate(page)]
            told = source.told(numbered)
            assert minute == 1 or [t.split(":")[0] for t in told] == ["new"]

    def test_ids_made_anew_for_every_fetch_are_not_believed(self, kit):
        source = kit.source()
        page = kit.timeline()
        for minute in range(1, 8):
            shown = self.with_ids(page, lambda n, e, m=minute: f"uid-{m}-{n}")
            told = [t for t in source.told(shown) if not t.startswith("baseline")]
            assert told == ([] if minute == 1 else ["edited:Volunteers are"])
            page[2] = replace(page[2], text=page[2].text + f" Update {minute}.")

    def test_id_shared_by_different_entries_is_no_id(self, kit):
        source = kit.source()
        page = [replace(entry, native_id="https://example.org/live") for entry in kit.timeline()]
        source.poll(page)
        fresh = kit.post(9, 1, native_id="https://example.org/live")
        assert source.told([fresh, *page]) == ["new:Police closed"]

    def test_address_identifies_where_ids_are_missing_whatever_its_tracking_parameters(self, kit):
        source = kit.source()
        page = [replace(e, url=f"http://www.example.org/a?id={90 - n}&ref=rss") for n, e in enumerate(kit.timeline())]
        source.poll(page)
        page = [replace(e, url=f"https://example.org/a?id={90 - n}&utm_source=x") for n, e in enumerate(kit.timeline())]
        page[4] = replace(page[4], text="Everything about this report changed.", published=None)
        assert source.told(page) == ["edited:Everything about"]

    def test_article_under_another_address_is_no_news(self, kit):
        source = kit.source()
        page = self.with_ids(kit.timeline(), self.stable)
        source.poll(page)
        page[2] = replace(page[2], native_id="sport-77")
        assert [source.told(page) for _ in range(3)] == [[], [], []]

    def test_endless_addresses_identify_as_well_and_are_not_kept_in_memory(self, kit):
        source = kit.source()
        page = [replace(e, url=f"https://example.org/{n}?q={'x' * 100_000}") for n, e in enumerate(kit.timeline())]
        kept = features._kept_address.cache_info().currsize
        source.poll(page)
        page[4] = replace(page[4], text="Everything about this report changed.", published=None)
        assert source.told(page) == ["edited:Everything about"]
        assert features._kept_address.cache_info().currsize == kept

    def test_policy_can_take_every_id_for_an_entry_of_its_own(self, kit):
        from monitor.reconcile import ReconcilePolicy

        source = kit.source(policy=ReconcilePolicy(ids="trust"))
        page = self.with_ids(kit.timeline(), self.stable)
        source.poll(page)
        page[2] = replace(page[2], native_id="sport-77")
        told = [one for _ in range(3) for one in source.told(page)]
        assert told == ["new:Volunteers are", "removed:Volunteers are"]

    def test_policy_can_follow_an_id_to_another_text(self, kit):
        from monitor.reconcile import ReconcilePolicy

        source = kit.source(policy=ReconcilePolicy(ids="trust"))
        page = self.with_ids(kit.timeline(), self.stable)
        source.poll(page)
        page[2], page[3] = (replace(page[2], text=page[3].text), replace(page[3], text=page[2].text))
        assert sorted(source.told(page)) == ["edited:A spokesman", "edited:Volunteers are"]

    def test_policy_can_ignore_ids(self, kit):
        from monitor.reconcile import ReconcilePolicy

        source = kit.source(policy=ReconcilePolicy(ids="ignore"))
        source.poll(self.with_ids(kit.timeline(), self.stable))
        swapped = self.with_ids(kit.timeline(), lambda n, e: f"x{n}")
        assert source.told(swapped) == []


def test_entry_that_returns_after_all_ids_were_made_anew_is_restored(source, kit):
    def page(generation, numbers):
        return [kit.post(n, -10 * n, native_id=f"{generation}-{n * 37 % 11}") for n in numbers]

    everything = range(8)
    without = [n for n in everything if n != 3]
    source.poll(page("a", everything))
    source.poll(page("a", without))
    assert source.told(page("a", without)) == ["removed:A spokesman"]
    assert source.told(page("b", without)) == []
    assert source.told([kit.post(9, 2, native_id="b-x"), *page("b", everything)]) == [
        "restored:A spokesman",
        "new:Police closed",
    ]


def test_short_text_repeated_elsewhere_is_new_while_the_earlier_one_is_corrected(source, kit):
    line = "Explosions heard in the harbour, the grid operator says."
    page = [
        *kit.timeline()[:4],
        kit.post(0, -35, title="Explosions heard in the harbour", text=line),
        *kit.timeline()[4:],
    ]
    source.poll(page)
    page[4] = kit.post(0, -35, title="Explosions heard in the harbour", text="10 " + line)
    changes = source.poll([kit.post(0, 2, title="Explosions heard in the harbour", text=line), *page])
    assert {(change.type, change.entry.text) for change in changes} == {
        (ChangeType.EDITED, "10 " + line),
        (ChangeType.NEW, line),
    }


def test_ages_keep_their_entries_when_our_clock_is_set_forward_an_hour(source, kit):
    def aged(number, minute, now):
        minutes = now - minute
        stamp = Stamp(kit.at(now - minutes), f"{minutes} minutes ago", 60, dated=True, relative=True)
        return kit.post(number, published=stamp)

    page = [(n, -5 * n) for n in range(6)]
    source = kit.source()
    source.poll([aged(n, minute, 1) for n, minute in page], minute=1)
    told = []
    for now in range(2, 40, 3):
        page = [(6 + now // 3, now), *page][:12]
        ours = now + 60
        entries = [
            replace(one, published=replace(one.published, at=kit.at(ours - (now - minute))))
            for one, (_, minute) in ((aged(n, minute, now), (n, minute)) for n, minute in page)
        ]
        told += source.told(entries, minute=ours)
    assert {one.split(":")[0] for one in told} == {"new"}


def test_sure_pairs_leave_the_rest_a_place_of_its_own(source, kit):
    stub = "More on this shortly."
    page = [*kit.timeline()[:3], kit.post(9, -22), kit.post(0, -25, text=stub), *kit.timeline()[3:]]
    source.poll(page)
    report = "Two cranes are being brought in by barge."
    after = [kit.post(0, 3, text=stub), *page]
    after[4] = kit.post(9, -22, text=kit.stories[9] + " A second lorry stood by.")
    after[5] = kit.post(0, -25, text=report)
    changes = source.poll(after)
    assert [change.entry.text for change in changes if change.type is ChangeType.NEW] == [stub]
    assert report in {change.entry.text for change in changes if change.type is ChangeType.EDITED}


@pytest.mark.parametrize("gone", range(1, 7))
def test_an_id_that_slid_to_the_next_entry_does_not_lead_back_to_the_one_that_went(kit, gone):
    def numbered(entries):
        return [replace(one, native_id=f"post-{n}") for n, one in enumerate(entries)]

    oldest_first = list(reversed(kit.timeline()))
    source = kit.source()
    source.poll(numbered(oldest_first), order="oldest_first")
    left = numbered([one for n, one in enumerate(oldest_first) if n != gone])
    first_words = " ".join(oldest_first[gone].text.split()[:2])
    told = [source.told(left, order="oldest_first", modified_at=kit.at(n)) for n in range(1, 4)]
    assert [one for poll in told for one in poll] == [f"removed:{first_words}"]


class TestShortTextsWithoutATime:
    """A ticker: few words, said again and again, and only the publisher's ids tell one time from the other."""

    EVENTS = (
        "Kick-off",
        "Corner",
        "Foul",
        "Throw-in",
        "Yellow card",
        "Offside",
        "Goal kick",
        "Shot blocked",
        "Throw-in",
    )

    def page(self, first, last, name="event-{}"):
        shown = reversed(list(enumerate(self.EVENTS))[first:last])
        return [Entry(0, text, native_id=name.format(number * 37)) for number, text in shown]

    def test_word_said_again_under_another_id_as_the_first_one_leaves_is_new(self, kit):
        source = kit.source()
        source.poll(self.page(0, 5))
        for last in range(6, 9):
            source.poll(self.page(last - 5, last))
        assert source.told(self.page(4, 9)) == ["new:Throw-in"]

    def test_word_said_again_while_the_first_one_is_shown_is_new(self, kit):
        source = kit.source()
        source.poll(self.page(0, 8))
        assert source.told(self.page(0, 9)) == ["new:Throw-in"]

    def test_ids_made_anew_are_not_taken_for_new_entries(self, kit):
        source = kit.source()
        source.poll(self.page(0, 5))
        assert source.told(self.page(0, 5, "v2-{}")) == []

    def test_single_entry_with_another_id_at_every_fetch_is_told_once(self, kit):
        source = kit.source()
        told = [source.told([Entry(0, "Service suspended", native_id=f"f3a9-{fetch}")]) for fetch in range(8)]
        assert told == [["baseline:Service suspended"], *[[]] * 7]
