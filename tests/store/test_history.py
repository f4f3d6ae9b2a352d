"""History: every revision is kept, and the page can be read as it was at any time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.model import ChangeType
from monitor.store import Counts, Retention, history


async def commit(store, make, *changes, **more):
    return await store.commit(make.poll(await store.load("aleppo"), changes, **more))


async def story(store, make):
    """A baseline of two, then a correction, a removal, a return and news: one a minute."""
    baseline = [replace(make.new(f"e{n}", f"entry {n}", n), type=ChangeType.BASELINE) for n in range(2)]
    await commit(store, make, *baseline, silent=True)
    steps = [
        make.edited("e0", "entry 0", "entry nought"),
        make.removed("e1", "entry 1"),
        replace(make.new("e1", "entry 1", 1), type=ChangeType.RESTORED, revision=3),
        make.new("e2", "entry 2"),
    ]
    for change in steps:
        make.now += timedelta(minutes=1)
        await commit(store, make, change)
    return [*baseline, *steps]


async def test_every_change_is_kept_whole_and_in_order(store, make):
    changes = await story(store, make)
    assert [stored.change for stored in await store.revisions("aleppo")] == changes
    assert [stored.sequence for stored in await store.revisions("aleppo")] == [None, None, 1, 2, 3, 4]
    assert await store.revisions("nobody") == ()


async def test_the_revisions_of_one_entry_or_since_a_time(store, make):
    began = make.now
    changes = await story(store, make)
    assert [stored.change for stored in await store.revisions("aleppo", "e1")] == [changes[1], changes[3], changes[4]]
    later = await store.revisions("aleppo", since=began + timedelta(minutes=3))
    assert [stored.change for stored in later] == changes[4:]
    assert len(await store.revisions("aleppo", limit=2)) == 2


async def test_the_page_at_a_time_is_what_it_said_then(store, make):
    began = make.now
    await story(store, make)

    async def page(minutes):
        return [entry.text for entry in await store.page_at("aleppo", began + timedelta(minutes=minutes))]

    assert await page(-1) == []
    assert await page(0) == ["entry 0", "entry 1"]
    assert await page(1.5) == ["entry nought", "entry 1"]
    assert await page(2) == ["entry nought"]
    assert await page(3) == ["entry nought", "entry 1"]
    assert await page(60) == ["entry 2", "entry nought", "entry 1"]


async def test_deltas_after_a_position_or_from_a_time(store, make):
    began = make.now
    changes = await story(store, make)
    deltas = await store.deltas_since("aleppo", None)
    assert [delta.id for delta in deltas] == [f"aleppo/1-{n}" for n in (1, 2, 3, 4)]
    assert [delta.change for delta in deltas] == changes[2:]
    assert await store.deltas_since("aleppo", (1, 3)) == deltas[3:]
    assert await store.deltas_since("aleppo", began + timedelta(minutes=2)) == deltas[1:]
    assert await store.deltas_since("aleppo", (0, 99), limit=2) == deltas[:2]
    assert deltas[0].source == make.ref


async def test_counts_tell_what_is_on_the_page_and_what_happened(store, make):
    began = make.now
    await story(store, make)
    assert await store.counts("aleppo") == Counts(3, 6, 1, 1, 1, 1, began + timedelta(minutes=4))
    recent = await store.counts("aleppo", since=began + timedelta(minutes=3))
    assert (recent.entries, recent.new, recent.edited, recent.restored) == (3, 1, 0, 1)
    assert await store.counts("nobody") == Counts()
    assert await store.counts_of_all() == {"aleppo": await store.counts("aleppo")}
    long_after = began + timedelta(days=1)
    assert await store.counts_of_all(long_after) == {"aleppo": Counts(entries=3)}


async def test_activity_is_counted_by_type_and_slot_of_time(store, make):
    began = make.now
    await story(store, make)
    found = await store.read(partial(history.activity, since=began, slot=timedelta(minutes=2)))
    assert {(one.type, one.slot, one.count) for one in found} == {
        (ChangeType.EDITED, 0, 1),
        (ChangeType.REMOVED, 1, 1),
        (ChangeType.RESTORED, 1, 1),
        (ChangeType.NEW, 2, 1),
    }
    later = partial(history.activity, since=began + timedelta(minutes=4), slot=timedelta(minutes=1))
    assert [(one.source_id, one.slot) for one in await store.read(later)] == [("aleppo", 0)]


@pytest.mark.parametrize(
    ("keep", "left"),
    [
        (Retention(), [1, 2, 3, 4, 5]),
        (Retention(revisions_per_entry=2), [4, 5]),
        (Retention(revisions_per_entry=0), [5]),
        (Retention(revisions=timedelta(minutes=3)), [2, 3, 4, 5]),
        (Retention(revisions=timedelta(0)), [5]),
    ],
)
async def test_retention_leaves_the_newest_revision_of_every_entry(store, make, keep, left):
    await commit(store, make, make.new("other", "another entry"))
    await commit(store, make, make.new("e", "text 1"))
    for revision in range(2, 6):
        make.now += timedelta(minutes=1)
        await commit(store, make, make.edited("e", f"text {revision - 1}", f"text {revision}", revision))
    pruned = await store.prune(keep)
    assert [stored.change.revision for stored in await store.revisions("aleppo", "e")] == left
    assert pruned.revisions == 5 - len(left)
    assert len(await store.revisions("aleppo", "other")) == 1


async def test_bodies_can_go_before_the_fact_of_the_change_does(store, make):
    await commit(store, make, make.new("e", "the secret text"))
    make.now += timedelta(days=2)
    await commit(store, make, make.edited("e", "the secret text", "the public text"))
    assert (await store.prune(Retention(bodies=timedelta(days=1)))).bodies == 1
    assert (await store.prune(Retention(bodies=timedelta(days=1)))).bodies == 0
    first, second = await store.revisions("aleppo", "e")
    assert (first.bodiless, first.entry.text, first.type) == (True, "", ChangeType.NEW)
    assert (second.bodiless, second.entry.text) == (False, "the public text")


@st.composite
def evolutions(draw):
    """Pages that follow each other: some entries go, some are reworded, some appear anywhere."""
    page, pages, made = [], [], 0
    for _ in range(draw(st.integers(1, 6))):
        page = [name for name in page if draw(st.integers(0, 3)) > 0]
        for _ in range(draw(st.integers(0, 3))):
            page.insert(draw(st.integers(0, len(page))), f"e{made}")
            made += 1
        pages.append(list(page))
    return pages


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pages=evolutions())
async def test_any_evolution_of_a_page_can_be_read_back(path, make, pages, tmp_path_factory):
    from monitor.store import Store

    async with await Store.open(str(tmp_path_factory.mktemp("page") / "monitor.db")) as store:
        await store.ensure_sources([make.ref], make.now)
        before, times = [], []
        for page in pages:
            make.now += timedelta(seconds=15)
            changes = [make.new(name, name, place) for place, name in enumerate(page) if name not in before]
            changes += [make.removed(name, name) for name in before if name not in page]
            await commit(store, make, *changes)
            times.append(make.now)
            before = page
        for page, when in zip(pages, times, strict=True):
            assert [entry.text for entry in await store.page_at("aleppo", when)] == page
