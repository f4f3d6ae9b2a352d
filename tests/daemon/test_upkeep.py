"""What the store has forgotten is forgotten in memory, too, and the polls go on from the store."""

import asyncio

from monitor.daemon.app import Monitor
from monitor.settings import load_settings
from monitor.store import Pruned

SETTINGS = """\
version: 1
state_dir: state
sources: {page: {url: page.txt, every: 0.2s, allow_fast: true}}
"""
OLD = "3:47 pm\n\nFirst\n\nSomething happened on the northern road this afternoon.\n"
NEW = "3:52 pm\n\nSecond\n\nThe bridge at the mill was opened again to all traffic.\n"


async def test_polls_go_on_from_the_store_after_entries_were_forgotten(tmp_path, monkeypatch):
    page = tmp_path / "page.txt"
    page.write_text(f"LIVE\n\n\n{OLD}")
    file = tmp_path / "monitor.yaml"
    file.write_text(SETTINGS)
    seen, polled, stop = [], asyncio.Event(), asyncio.Event()

    def note(result):
        seen.extend(delta.change.entry.title for delta in result.deltas)
        polled.set()

    monitor = Monitor(load_settings(file, environ={}), on_poll=note)
    running = asyncio.create_task(monitor.run(stop))
    async with asyncio.timeout(30):
        await polled.wait()

        async def forgetful(*_, **__):
            return Pruned(entries=1)

        monkeypatch.setattr(monitor.store, "prune", forgetful)
        before = monitor._poller._remembered["page"]
        await monitor._upkeep()
        page.write_text(f"LIVE\n\n\n{NEW}\n\n{OLD}")
        while not seen:
            polled.clear()
            await polled.wait()
        assert monitor._poller._remembered["page"] is not before
    stop.set()
    await running
    assert seen == ["Second"]
