"""`monitor alerts`: what is listed, retried, dropped and silenced, as a person and as a script."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from monitor.alerts import Draft, RuleOptions, raise_alerts
from monitor.cli.alerts import command
from monitor.store import PollCommit, PollState, Store
from monitor.store import messages as rows
from monitor.store.deliveries import insert_alerts
from monitor.store.messages import Composed


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "live.txt").write_text("")
    (tmp_path / "monitor.yaml").write_text(
        f"version: 1\nstate_dir: {tmp_path / 'state'}\nsources: {{a: {{url: {tmp_path / 'live.txt'}}}}}\n"
    )
    (tmp_path / "state").mkdir(mode=0o700)
    return tmp_path


@pytest.fixture
def run(settings):
    def invoke(*arguments):
        return CliRunner().invoke(
            command, [*arguments, "-c", str(settings / "monitor.yaml")], standalone_mode=False, catch_exceptions=False
        )

    return invoke


@pytest.fixture
def dead(settings, blog):
    """A store with one alert that did not arrive at the desk and one that waits."""
    from monitor.model import ChangeType

    async def fill() -> str:
        from monitor.daemon.state_directory import DATABASE

        path = str(settings / "state" / DATABASE)
        async with await Store.open(path, alert_writer=insert_alerts) as store:
            delta = blog.change(ChangeType.NEW, "suspended \x1b[2J")
            options = {"halted": RuleOptions(notify=("desk", "archive"))}
            alerts = raise_alerts(delta, blog.judge(delta), options, now=blog.now, delivered={})
            await store.ensure_sources([delta.source], blog.now)
            await store.commit(
                PollCommit(
                    delta.source,
                    0,
                    (delta.change,),
                    (delta,),
                    poll=PollState(),
                    alerts=alerts,
                    seen_at=blog.now,
                )
            )
            now = datetime.now(UTC)
            draft = Draft("g", "fired", (alerts[0].id,), "warning", timedelta(0))
            composed = Composed("f" * 32, draft, "halted", b"{}", None, now, now + timedelta(hours=6), 1)

            def lose(connection):
                (leased,) = rows.freeze(connection, "desk", [composed], lease_until=now)
                rows.settle_dead(connection, leased, status="410", error="it answered 410")
                rows.disable(connection, "desk", "hash", "it answered 410", now)

            await store.run(lose)
            return alerts[0].id

    return asyncio.run(fill())


def listed(run, *arguments):
    return [json.loads(line) for line in run("list", "--json", *arguments).output.splitlines()]


def test_each_alert_is_listed_at_each_receiver_with_its_state_and_reason(run, dead):
    found = {one["receiver"]: one for one in listed(run)}
    assert found["desk"]["state"] == "dead"
    assert found["desk"]["reason"] == "it answered 410"
    assert found["archive"]["state"] == "waiting"
    assert found["desk"]["id"] == found["archive"]["id"] == dead


def test_dead_letters_alone(run, dead):
    assert [one["receiver"] for one in listed(run, "--dead")] == ["desk"]
    assert [one["receiver"] for one in listed(run, "--receiver", "archive")] == ["archive"]
    assert listed(run, "--rule", "other") == []


def test_lines_for_people_hold_no_escape_sequences(run, dead):
    said = run("list").output + run("show", dead[:8]).output
    assert "\x1b" not in said
    assert "A-ffffff" in said


def test_show_tells_the_whole_alert_and_where_it_went(run, dead):
    shown = json.loads(run("show", "A-ffffff", "--json").output)
    assert shown["event"]["id"] == dead
    assert {one["receiver"] for one in shown["deliveries"]} == {"desk", "archive"}
    assert run("show", "nothing").return_value == 1


def test_retry_puts_it_back_and_enables_the_receiver(run, dead, settings):
    assert run("retry", "A-ffffff").return_value == 0
    assert {one["state"] for one in listed(run, "--receiver", "desk")} == {"pending"}
    assert listed(run, "--dead") == []


def test_drop_takes_it_off_the_list_and_keeps_the_record(run, dead):
    assert run("drop", "--receiver", "desk").return_value == 0
    assert [one["state"] for one in listed(run, "--receiver", "desk")] == ["dropped"]


def test_a_name_that_matches_nothing_is_a_finding(run, dead):
    assert run("retry", "A-000000").return_value == 1
    assert run("drop", "%").return_value == 1
    assert {one["state"] for one in listed(run, "--receiver", "desk")} == {"dead"}


@pytest.mark.parametrize("arguments", [("retry",), ("drop",)])
def test_nothing_is_retried_or_dropped_without_saying_what(run, dead, arguments):
    from click import UsageError

    with pytest.raises(UsageError):
        run(*arguments)


def test_a_silence_is_added_listed_and_ended(run, dead):
    added = json.loads(
        run(
            "silence", "add", "rule=hal*", "source=a", "--for", "2h", "--comment", "drill", "--author", "ana", "--json"
        ).stdout
    )
    assert (added["matchers"], added["author"], added["state"]) == ({"rule": "hal*", "source": "a"}, "ana", "active")
    assert added["on_end"] == "drop"
    starts, ends = (datetime.fromisoformat(added[key]) for key in ("starts_at", "ends_at"))
    assert ends - starts == timedelta(hours=2)
    number = str(added["id"])
    assert "drill" in run("silence", "list").output
    assert run("silence", "expire", number).return_value == 0
    assert run("silence", "list").output == ""
    assert "expired" in run("silence", "list", "--expired").output
    assert run("silence", "expire", number).return_value == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("rule", "--for", "2h"),
        ("colour=red", "--for", "2h"),
        ("rule=x", "--for", "soon"),
        ("rule=x", "--for", "0h"),
        ("rule=", "--for", "1h"),
        ("rule=x", "rule=y", "--for", "1h"),
    ],
)
def test_a_silence_that_makes_no_sense_is_refused(run, arguments):
    from click import UsageError

    with pytest.raises(UsageError):
        run("silence", "add", *arguments, "--comment", "x")


def test_alone_it_lists(run, dead):
    assert "A-ffffff" in run().output


def test_each_line_says_which_entry_it_is_about(run, dead):
    assert "halted new in aleppo: suspended" in run("list").stdout


def test_what_waits_for_a_disabled_receiver_says_so(run, dead, settings):
    write(
        settings, lambda connection: rows.disable(connection, "archive", "hash", "it answered 403", datetime.now(UTC))
    )
    (waiting,) = listed(run, "--receiver", "archive")
    assert (waiting["state"], waiting["reason"]) == ("waiting", "the receiver is disabled: it answered 403")


def test_status_names_a_disabled_receiver_and_what_enables_it(dead, settings):
    from monitor.cli.status import command as status

    (settings / "monitor.yaml").write_text(
        (settings / "monitor.yaml").read_text() + "receivers: {desk: {terminal: true}}\n"
    )
    shown = CliRunner().invoke(status, ["-c", str(settings / "monitor.yaml")], standalone_mode=False)
    assert "receiver desk is disabled: it answered 410 (`monitor alerts retry --receiver desk`" in shown.stdout
    assert shown.return_value == 1


def test_an_alerts_own_id_means_the_message_that_carries_it(run, dead):
    assert run("retry", dead[:8]).return_value == 0
    assert listed(run, "--dead") == []


@pytest.mark.parametrize("name", ["A-", "", "A-ff", "f"])
@pytest.mark.parametrize("verb", ["retry", "drop", "show"])
def test_a_name_too_short_to_mean_one_thing_is_refused(run, dead, verb, name):
    from click import UsageError

    with pytest.raises(UsageError, match="too short"):
        run(verb, name)
    assert [one["receiver"] for one in listed(run, "--dead")] == ["desk"]


def test_show_tells_every_alert_of_a_message_and_words_of_our_own(run, dead, settings, blog):
    say(settings, "b" * 32, "receiver desk is disabled")
    shown = run("show", "A-bbbbbb").stdout
    assert "receiver desk is disabled" in shown
    assert json.loads(run("show", "A-bbbbbb", "--json").stdout)["event"] is None
    whole = run("show", "A-ffffff").stdout
    assert "> suspended" in whole
    assert "rule halted" in whole


def say(settings, id_, headline):
    """Put a notice of the monitor's own into the store."""
    now = datetime.now(UTC)
    draft = Draft(f"notice:{id_}", "fired", (), "critical", timedelta(0))
    composed = Composed(id_, draft, headline, b"{}", None, now, now + timedelta(hours=6))
    write(settings, lambda connection: rows.post_words(connection, "archive", composed))


def write(settings, work):
    from monitor.daemon.state_directory import DATABASE

    async def put():
        async with await Store.open(str(settings / "state" / DATABASE)) as store:
            await store.run(work)

    asyncio.run(put())


def test_a_silence_for_what_the_settings_do_not_have_is_added_with_a_warning(run, dead):
    added = run("silence", "add", "rule=hallted", "--for", "1h30m", "--comment", "drill", "--on-end", "digest")
    assert "warning: the settings have no rule hallted" in added.stderr
    assert "then a digest" in added.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become a user that has no name")
def test_a_user_without_a_name_can_add_a_silence():
    nobody = "import os, monitor.cli.silences as s; os.environ.clear(); os.setuid(54321); print(s._login())"
    said = subprocess.run([sys.executable, "-c", nobody], capture_output=True, text=True, check=True)
    assert said.stdout == "uid 54321\n"


def test_a_list_that_was_cut_says_so(run, dead):
    assert "--limit shows more" in run("list", "--limit", "1").stderr


def test_before_the_first_run_there_is_nothing_to_list_and_none_is_made(run, settings):
    assert run("list", "--json").stdout == run("silence", "list").stdout == ""
    assert run("show", "A-123456").return_value == 1
    assert list((settings / "state").iterdir()) == []
