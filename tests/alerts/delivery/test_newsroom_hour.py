"""The newsroom hour on a good day, and the same hour with everything going wrong at once."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest

from tests.alerts.delivery.newsroom import at_the_archive, at_the_desk, in_order, newsroom_hour, play, told
from tests.alerts.delivery.world import START


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", [1, 2])
async def test_each_receiver_hears_exactly_what_it_must_once_and_in_order(newsroom, seed):
    steps = newsroom_hour(seed)
    async with newsroom.delivering():
        await play(newsroom, steps)
    the_archive_heard(newsroom, steps)
    await the_desk_heard(newsroom, steps)


def the_archive_heard(newsroom, steps) -> None:
    said = told(newsroom.receivers.of("archive"))
    assert len(said) > 100
    assert Counter(what for _, what in said) == at_the_archive(steps)
    assert len({id_ for id_, _ in said}) == len(said), "no message was repeated"
    in_order(said)


async def the_desk_heard(newsroom, steps) -> None:
    messages, corrections = at_the_desk(steps)
    by_message: dict[str, list] = defaultdict(list)
    for one in await newsroom.listed(receiver="desk", states=["sent"]):
        by_message[one.message_id].append(one)
    alerts = {key: some for key, some in by_message.items() if some[0].kind in {"new", "edited"}}
    got = Counter(((some[0].sent_at - START).total_seconds(), some[0].rule, len(some)) for some in alerts.values())
    assert got == Counter(messages)
    taken_back = [one for key, some in by_message.items() if key not in alerts for one in some]
    assert Counter((one.rule, one.entry, "corrected") for one in taken_back) == corrections
    assert newsroom.receivers.counts["desk"] == len(by_message), "each message was posted once"
