"""The daemon seen from outside: a page on disk, a plain Redis client, and kills."""

import json
import random
import threading

import pytest
import redis

from monitor.demo.blog import load_blog

BLOG = load_blog()
SETTINGS = """\
version: 1
state_dir: STATE
redis: {embedded: {port: PORT}}
sources:
  aleppo:
    url: PAGE
    every: 0.2s
    allow_fast: true
    timezone: Etc/GMT
rules:
  halted: {match: suspended, max_age: 0}
  truce-broken: {match: ceasefire violation, max_age: 0}
"""


@pytest.fixture
def page(tmp_path):
    path = tmp_path / "live.txt"
    path.write_text(BLOG.page(4), encoding="utf-8")
    return path


def put(path, text):
    draft = path.with_suffix(".draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


@pytest.fixture
def running(daemon, page, free_port):
    return daemon(SETTINGS.replace("PAGE", str(page)).replace("PORT", str(free_port)))


def stream(client, name="monitor:{aleppo}:deltas"):
    try:
        return [(entry_id.decode(), fields[b"d"]) for entry_id, fields in client.xrange(name)]
    except redis.ConnectionError:
        return []


class Listener:
    """Collects every message of every source's channel."""

    def __init__(self, client):
        self.heard = []
        self._pubsub = client.pubsub(ignore_subscribe_messages=True)
        self._pubsub.psubscribe("monitor:*:deltas")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self):
        while not self._stop.is_set():
            message = self._pubsub.get_message(timeout=0.1)
            if message is not None:
                self.heard.append(message["data"])
        self._pubsub.close()

    def close(self):
        self._stop.set()
        self._thread.join()


def test_a_subscriber_and_the_stream_get_the_same_bytes_in_order_and_alerts_once(running, page, client, wait):
    running.start()
    wait(lambda: running.polled("aleppo"), "the first poll")
    listener = Listener(client)
    put(page, BLOG.page(5))
    wait(lambda: len(stream(client)) >= 1, "the correction")
    put(page, BLOG.page(7))
    deltas = wait(lambda: (found := stream(client)) and len(found) >= 3 and found, "two further entries")
    alerts = wait(lambda: stream(client, "monitor:alerts"), "the alert")
    wait(lambda: len(listener.heard) >= 3, "the channel")
    listener.close()
    assert [body for _, body in deltas] == listener.heard[:3]
    assert [entry_id for entry_id, _ in deltas] == ["1-1", "1-2", "1-3"]
    events = [json.loads(body) for _, body in deltas]
    assert [event["type"] for event in events] == ["monitor.entry.edited", "monitor.entry.new", "monitor.entry.new"]
    assert [int(event["sequence"]) for event in events] == [1, 2, 3]
    diff = events[0]["data"]["changes"][0]["diff"]
    assert ["-", "suspecnded"] in diff
    assert ["+", "suspended"] in diff
    raised = [json.loads(body)["data"] for _, body in alerts]
    assert [(alert["rule"], alert["kind"]) for alert in raised] == [("halted", "edited")]
    assert running.stop() == 0


def test_a_removed_entry_is_told_once_it_was_looked_for_again(running, page, client, wait):
    put(page, BLOG.page(10))
    running.start()
    wait(lambda: running.polled("aleppo"), "the first poll")
    put(page, BLOG.page(11))
    found = wait(lambda: stream(client), "the removal")
    event = json.loads(found[0][1])
    assert event["type"] == "monitor.entry.removed"
    assert event["data"]["entry"]["position"] is None


def test_a_daemon_killed_at_random_moments_loses_nothing_and_repeats_nothing(running, page, client, wait):
    chance = random.Random(20161215)
    running.start()
    wait(lambda: running.polled("aleppo"), "the first poll")
    step = 4
    for _ in range(10):
        pause = chance.uniform(0.05, 0.9)
        threading.Event().wait(pause)
        running.kill()
        step = min(step + 1, BLOG.last_step)
        put(page, BLOG.page(step))
        running.start()
    put(page, BLOG.page(BLOG.last_step))
    wait(lambda: _final_state(stream(client)) >= _texts_new_after(4), "every change in the stream", 60)
    deltas = stream(client)
    ids = [entry_id for entry_id, _ in deltas]
    assert ids == [f"1-{number}" for number in range(1, len(ids) + 1)]
    told = [(json.loads(body)["subject"], json.loads(body)["data"]["entry"]["revision"]) for _, body in deltas]
    assert len(told) == len(set(told))
    alerts = [json.loads(body)["data"]["rule"] for _, body in stream(client, "monitor:alerts")]
    assert sorted(alerts) == ["halted"]


def _final_state(deltas):
    """The last text of each entry told of, removed ones left out."""
    texts = {}
    for _, body in deltas:
        event = json.loads(body)
        texts[event["subject"]] = event["data"]["entry"]["text"]
        if event["type"] == "monitor.entry.removed":
            del texts[event["subject"]]
    return frozenset(texts.values())


def _texts_new_after(step):
    """What the story's page says at its end that it did not say at `step`."""
    last = BLOG.page(BLOG.last_step)
    shown = set()
    for post in BLOG.posts:
        fixed = BLOG._corrected(post, BLOG.last_step)
        text = "\n\n".join(fixed.paragraphs)
        changed = text != "\n\n".join(BLOG._corrected(post, step).paragraphs) or post.appears > step
        if post.withdrawn is None and changed and fixed.paragraphs[0] in last:
            shown.add(text)
    return frozenset(shown)


def test_stored_deltas_can_be_replayed_published_again_backed_up_and_restored(running, page, client, wait, tmp_path):
    running.start()
    wait(lambda: running.polled("aleppo"), "the first poll")
    put(page, BLOG.page(7))
    deltas = wait(lambda: (found := stream(client)) and len(found) >= 3 and found, "three deltas")
    replayed = running.command(
        "replay", "--source", "aleppo", "--since", "1-1", "--json", check=True
    ).stdout.splitlines()
    assert [json.loads(line)["id"] for line in replayed] == ["aleppo/1-2", "aleppo/1-3"]
    listener = Listener(client)
    running.command("republish", "aleppo", "--since", "1-1", check=True)
    wait(lambda: len(listener.heard) >= 2, "the messages again")
    listener.close()
    assert listener.heard[:2] == [body for _, body in deltas[1:]]
    assert len(stream(client)) == 3
    running.command("backup", str(tmp_path / "copy.db"), check=True)
    assert running.stop() == 0
    running.command("restore", str(tmp_path / "copy.db"), check=True)
    running.start()
    put(page, BLOG.page(8))
    later = wait(lambda: (found := stream(client)) and len(found) >= 4 and found, "a delta after the restore")
    assert later[3][0] == "2-1"
    assert json.loads(later[3][1])["epoch"] == "2"
