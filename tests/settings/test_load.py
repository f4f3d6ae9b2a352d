"""Settings are what their file says, with defaults, includes, variables and secrets put in."""

from pathlib import Path

import pytest

from monitor.errors import SettingsError
from monitor.settings import Secret, load_settings, state_directory

CONTRACT = """
    version: 1
    redis: embedded                      # or redis://, rediss://, redis+sentinel://, redis+cluster://, unix://
    store: sqlite                        # a file in the state directory; or postgresql://…
    defaults: {every: 15s, timezone: UTC}
    sources:
      aleppo:
        url: https://example.org/live/aleppo     # http(s):// or a file path
        kind: auto                       # feed | liveblog | page | json | text
        every: 15s                       # floor 10s unless allow_fast: true
        timezone: Asia/Damascus
        language: en
        select: {entry: "article.update", title: "h2", text: ".body", time: "time@datetime", id: "@data-id"}
    rules:
      evacuation-halted:
        match: 'suspended~ OR halted OR "called off"'
        sources: ["*"]
        severity: critical
        notify: [desk]
        cooldown: 10m
        tests:
          - {text: 'the evacuation has been "suspecnded" because', fires: true}
          - {text: "he wore a suspender", fires: false}
      truce-broken: {match: ceasefire violation, notify: [desk]}
    receivers:
      desk: {slack: "${SLACK_WEBHOOK_URL}"}
      archive: {webhook: https://example.org/hook, secret: "${WEBHOOK_SECRET:-s3}"}
    operators: [archive]
"""


def test_a_full_file_is_read_as_it_is_written(desk):
    settings = desk.load(CONTRACT)
    aleppo = settings.sources["aleppo"]
    assert (aleppo.every, aleppo.timezone, aleppo.language, aleppo.kind) == (15.0, "Asia/Damascus", "en", "auto")
    assert aleppo.select["time"] == "time@datetime"
    halted = settings.rules["evacuation-halted"]
    assert (halted.severity, halted.cooldown, halted.notify) == ("critical", 600.0, ("desk",))
    assert [test.fires for test in halted.tests] == [True, False]
    assert settings.receivers["desk"].slack == Secret("https://hooks.slack.com/services/T0/B0/canary-hunter2")
    assert settings.receivers["archive"].secret == (Secret("s3"),)
    assert settings.redis.mode == "embedded"
    assert settings.warnings == ()


def test_a_file_can_be_as_short_as_one_source(desk):
    settings = desk.load("sources: {aleppo: https://example.org/live}\nrules: {truce: ceasefire violation}")
    assert settings.sources["aleppo"].url == "https://example.org/live"
    assert settings.rules["truce"].match == "ceasefire violation"
    assert (settings.version, settings.prefix, settings.store) == (1, "monitor", "sqlite")


def test_sources_and_rules_take_defaults_they_do_not_override(desk):
    settings = desk.load("""
        defaults: {every: 1m, timezone: Europe/Kyiv, severity: critical, cooldown: 5m}
        sources:
          a: {url: https://example.org/a}
          b: {url: https://example.org/b, every: 20s}
          c: {url: https://example.org/c, every: }
        rules:
          x: {match: ceasefire, severity: info}
          y: ceasefire
    """)
    assert [source.every for source in settings.sources.values()] == [60.0, 20.0, 15.0]
    assert {source.timezone for source in settings.sources.values()} == {"Europe/Kyiv"}
    assert [rule.severity for rule in settings.rules.values()] == ["info", "critical"]
    assert {rule.cooldown for rule in settings.rules.values()} == {300.0}


def test_settings_are_frozen(desk):
    settings = desk.load("sources: {a: https://example.org/a}")
    with pytest.raises(ValueError, match="frozen"):
        settings.sources["a"].every = 1.0


@pytest.mark.parametrize(
    ("written", "mode", "url", "port"),
    [
        ("embedded", "embedded", None, None),
        ("{embedded: {port: 6379}}", "embedded", None, 6379),
        ("{embedded: }", "embedded", None, None),
        ("redis://localhost:6379/0", "url", "redis://localhost:6379/0", None),
        ("{url: rediss://r.example.org}", "url", "rediss://r.example.org", None),
        ("unix:///run/valkey.sock", "url", "unix:///run/valkey.sock", None),
        ("redis+sentinel://a:26379,b:26379/main", "url", "redis+sentinel://a:26379,b:26379/main", None),
        ("redis+cluster://[::1]:7000", "url", "redis+cluster://[::1]:7000", None),
    ],
)
def test_redis_is_told_in_several_forms(desk, written, mode, url, port):
    redis = desk.load(f"redis: {written}").redis
    assert (redis.mode, redis.url and redis.url.reveal(), redis.port) == (mode, url, port)


def test_file_paths_start_at_the_directory_of_the_file_that_names_them(desk):
    desk.write("sources: {inner: {url: inner.txt}}", "conf.d/more.yaml")
    desk.write("", "conf.d/inner.txt")
    desk.write("", "outer.txt")
    settings = desk.load("include: conf.d/*.yaml\nsources: {outer: {url: outer.txt}}\nstate_dir: ~/state")
    assert settings.sources["outer"].url == str(desk.directory / "outer.txt")
    assert settings.sources["inner"].url == str(desk.directory / "conf.d" / "inner.txt")
    assert settings.state_dir == Path("/home/desk/state")


def test_included_files_add_sources_rules_and_receivers(desk):
    desk.write("sources: {b: https://example.org/b}\nreceivers: {screen: {terminal: true}}", "conf.d/b.yaml")
    desk.write("rules: {truce: {match: ceasefire, notify: screen}}", "conf.d/c.yaml")
    settings = desk.load("include: [conf.d/*.yaml]\nsources: {a: https://example.org/a}")
    assert sorted(settings.sources) == ["a", "b"]
    assert settings.rules["truce"].notify == ("screen",)
    assert [path.name for path in settings.files] == ["monitor.yaml", "conf.d", "b.yaml", "c.yaml"]


def test_an_include_can_be_named_by_a_variable(desk):
    desk.environ["PLACE"] = "north"
    desk.write("sources: {b: https://example.org/b}", "north/b.yaml")
    assert list(desk.load("include: ${PLACE}/*.yaml").sources) == ["b"]
    assert desk.said("include: ${NOWHERE}/*.yaml") == [
        "monitor.yaml:1:10: error: the environment variable NOWHERE is not set — set it, or write ${NOWHERE:-default}"
    ]


def test_what_two_files_both_say_is_an_error_that_names_both_places(desk):
    desk.write("sources:\n  a: https://example.org/other\nprefix: news\n", "more.yaml")
    assert desk.said("include: more.yaml\nprefix: monitor\nsources:\n  a: https://example.org/a\n") == [
        f"more.yaml:2:3: error: duplicate key 'a' (first at {desk.directory}/monitor.yaml:4:3) — give it another name, or take one of the two out",
        f"more.yaml:3:1: error: duplicate key 'prefix' (first at {desk.directory}/monitor.yaml:2:1) — say it in one file only",
    ]


def test_an_error_in_an_included_file_is_told_with_that_files_name(desk):
    desk.write("sources:\n  a: {url: https://example.org/a, evry: 15s}\n", "conf.d/a.yaml")
    assert desk.said("include: conf.d/*.yaml\n") == [
        "conf.d/a.yaml:2:35: error: sources.a.evry: unknown key 'evry' — did you mean 'every'?"
    ]


def test_files_that_include_each_other_are_an_error(desk):
    desk.write("include: monitor.yaml\n", "other.yaml")
    (said,) = desk.said("include: other.yaml\n")
    assert said.startswith("other.yaml:1:10: error: ")
    assert "includes itself" in said


def test_variables_stand_in_values_of_every_type(desk):
    desk.environ |= {"EVERY": "20s", "ALLOW": "true", "HOST": "example.org", "N": "7"}
    settings = desk.load("""
        sources:
          a:
            url: https://${HOST}/live/${PAGE:-front}?x=$${literal}
            every: ${EVERY}
            allow_private: ${ALLOW}
        limits: {redirects: "${N}"}
    """)
    assert settings.sources["a"].url == "https://example.org/live/front?x=${literal}"
    assert (settings.sources["a"].every, settings.sources["a"].allow_private, settings.limits.redirects) == (
        20.0,
        True,
        7,
    )


def test_a_variable_cannot_change_the_structure_of_the_settings(desk):
    desk.environ["EVIL"] = "x\nrules: {all: a}\nsources: {b: /etc/passwd}"
    settings = desk.load('sources:\n  a: {url: https://example.org/, title: "${EVIL}"}\n')
    assert list(settings.sources) == ["a"]
    assert not settings.rules
    assert settings.sources["a"].title.startswith("x\nrules:")


def test_an_empty_variable_counts_as_set_but_its_default_is_taken(desk):
    desk.environ["EMPTY"] = ""
    settings = desk.load('sources: {a: {url: https://example.org/, title: "<${EMPTY}|${EMPTY:-other}>"}}')
    assert settings.sources["a"].title == "<|other>"


def test_secrets_are_read_from_files_beside_the_settings_without_their_line_end(desk):
    key = desk.write("s3cr3t\n", "keys/hook")
    key.chmod(0o600)
    settings = desk.load("""
        sources: {a: {url: https://example.org/, headers: {Authorization_file: keys/hook}}}
        rules: {truce: {match: ceasefire, notify: hook}}
        receivers: {hook: {webhook: https://example.org/hook, secret_file: keys/hook}}
    """)
    assert settings.receivers["hook"].secret == (Secret("s3cr3t"),)
    assert settings.sources["a"].headers["Authorization"].reveal() == "s3cr3t"
    assert settings.warnings == ()
    assert key in settings.files


def test_a_bare_secret_name_is_looked_for_among_the_services_credentials_first(desk, tmp_path):
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "hook").write_text("from systemd")
    desk.write("from beside", "hook")
    desk.environ["CREDENTIALS_DIRECTORY"] = str(tmp_path / "credentials")
    hook = "receivers: {hook: {webhook: https://example.org/, secret_file: hook}}\noperators: hook"
    settings = desk.load(f"{hook}\nsources: {{a: https://example.org/live}}")
    assert settings.receivers["hook"].secret == (Secret("from systemd"),)
    assert settings.warnings == ()


def test_a_secret_file_that_others_can_read_is_warned_of(desk):
    desk.write("s3cr3t", "hook").chmod(0o644)
    hook = "receivers: {hook: {webhook: https://example.org/, secret_file: hook}}\noperators: hook"
    said = desk.said(f"{hook}\nsources: {{a: https://example.org/live}}")
    assert said == [
        f"monitor.yaml:1:64: warning: other users can read {desk.directory}/hook — chmod 600 {desk.directory}/hook"
    ]


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"x" * 100_000])
def test_a_secret_file_without_a_usable_secret_is_an_error(desk, content):
    (desk.directory / "hook").write_bytes(content)
    (said,) = desk.said("receivers: {hook: {webhook: https://example.org/, secret_file: hook}}\noperators: hook")
    assert said.startswith("monitor.yaml:1:64: error: ")


@pytest.mark.parametrize(
    ("environ", "directory"),
    [
        ({"STATE_DIRECTORY": "/var/lib/monitor:/var/lib/other", "HOME": "/root"}, "/var/lib/monitor"),
        ({"XDG_STATE_HOME": "/home/a/state", "HOME": "/home/a"}, "/home/a/state/monitor"),
        ({"XDG_STATE_HOME": "relative", "HOME": "/home/a"}, "/home/a/.local/state/monitor"),
        ({"HOME": "/home/a"}, "/home/a/.local/state/monitor"),
        ({}, "/.local/state/monitor"),
    ],
)
def test_the_state_directory_is_the_services_else_the_desktops(environ, directory):
    assert state_directory(environ) == Path(directory)


def test_a_file_that_is_not_there_or_is_a_directory_is_a_settings_error(tmp_path):
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(SettingsError) as raised:
            load_settings(path, environ={})
        assert raised.value.problems[0].startswith(f"{path}:1:1: error: {path} cannot be read: ")


def test_a_file_of_ten_megabytes_is_refused_without_being_read(tmp_path):
    path = tmp_path / "monitor.yaml"
    path.write_text("# " + "x" * 10_000_000)
    with pytest.raises(SettingsError, match="larger than 4 MiB"):
        load_settings(path, environ={})


def test_rules_look_at_sources_by_id_pattern_or_tag(desk):
    settings = desk.load("""
        sources:
          aleppo-1: {url: https://example.org/1, tags: [war]}
          aleppo-2: {url: https://example.org/2}
          kyiv: {url: https://example.org/3, tags: [war]}
        rules:
          everywhere: {match: a}
          pattern: {match: a, sources: ["aleppo-*"]}
          tagged: {match: a, sources: ["#war"]}
          off: {match: a, enabled: false}
    """)
    assert settings.rules_of("aleppo-1") == {"everywhere", "pattern", "tagged"}
    assert settings.rules_of("aleppo-2") == {"everywhere", "pattern"}
    assert settings.rules_of("kyiv") == {"everywhere", "tagged"}


def test_two_thousand_sources_load_in_a_few_seconds(desk):
    listed = "\n".join(
        f"  s{n}: {{url: https://example.org/{n}, tags: [a, b], timezone: Europe/Kyiv}}" for n in range(2000)
    )
    assert len(desk.load(f"defaults: {{every: 20s}}\nsources:\n{listed}\n").sources) == 2000
