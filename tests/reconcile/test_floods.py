"""A template change or another page is one notice and a new baseline, not hundreds of deltas."""

from dataclasses import replace

from monitor.model import ChangeType


def rewritten(page):
    return [replace(e, text=f"{e.text.upper()} [{n * 37 % 101} of the desk]") for n, e in enumerate(page)]


def test_all_entries_edited_at_once_wait_for_three_equal_looks(kit):
    source = kit.source()
    page = kit.timeline(14)
    source.poll(page)
    for _ in range(2):
        assert source.told(rewritten(page)) == []
        assert source.verdict == "suspect:template_change"
    assert source.told(rewritten(page)) == []
    assert source.verdict == "ok"
    assert "recorded anew" in source.last.remarks[0]


def test_after_a_template_change_edits_are_told_against_the_new_baseline(kit):
    source = kit.source()
    page = kit.timeline(14)
    source.poll(page)
    for _ in range(3):
        source.poll(rewritten(page))
    corrected = rewritten(page)
    corrected[2] = replace(corrected[2], text=corrected[2].text.replace("SANDBAGS", "SACKS"))
    (change,) = source.poll(corrected)
    assert (change.type, change.entry_id) == (ChangeType.EDITED, "e2")


def test_template_tried_out_and_taken_back_tells_nothing(kit):
    source = kit.source()
    page = kit.timeline(14)
    source.poll(page)
    assert source.told(rewritten(page)) == []
    assert source.told(page) == []


def test_another_blog_under_the_same_address_becomes_a_silent_baseline(source, kit):
    other = [kit.post(8 + n, -300 - n) for n in range(8)]
    for _ in range(2):
        assert source.told(other) == []
        assert source.verdict == "suspect:different_page"
    changes = source.poll(other)
    assert {change.type for change in changes} == {ChangeType.BASELINE}
    assert source.told(other) == []


def test_blog_that_ran_on_while_nobody_looked_is_new_with_a_word_about_the_gap(source, kit):
    later = [kit.post(8 + n, 300 - n) for n in range(8)]
    changes = source.poll(later)
    assert [change.type for change in changes] == [ChangeType.NEW] * 8
    assert changes[0].note == "a gap is possible before this entry"
    assert [change.note for change in changes[1:]] == [None] * 7


def test_longer_window_brings_a_backlog_and_no_news(source, kit):
    longer = [*kit.timeline(), *[kit.post(8 + n, -200 - 10 * n) for n in range(7)]]
    changes = source.poll(longer)
    assert [change.type for change in changes] == [ChangeType.BASELINE] * 7


def test_a_new_template_is_told_in_one_line_of_the_verdict(kit):
    source = kit.source()
    page = [kit.post(n, -10 * n) for n in range(12)]
    source.poll(page)
    dressed = [replace(entry, text=f"Our desk reports: {entry.text} More in an hour.") for entry in page]
    for _ in range(3):
        assert source.told(dressed) == []
    assert source.last.verdict.kind.value == "ok"
    assert "all entries were recorded anew" in source.last.verdict.reason
