"""The JSON Schema says in the editor what `monitor check` says."""

import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from monitor.settings.schema import settings_schema
from monitor.settings.starter import schema_text, starter_files

ROOT = Path(__file__).parents[2]
BROKEN = Path(__file__).parent / "broken"


class Yaml12(yaml.SafeLoader):
    """How editors read YAML: version 1.2's core schema."""


Yaml12.yaml_implicit_resolvers = {}
for tag, pattern, first in [
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^[-+]?[0-9]+$", list("-+0123456789")),
    ("float", r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$", list("-+.0123456789")),
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
]:
    Yaml12.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), first)

VALIDATOR = jsonschema.Draft202012Validator(settings_schema())


def complaints(text):
    return list(VALIDATOR.iter_errors(yaml.load(text, Loader=Yaml12)))


FULL = """
version: 1
redis: {embedded: {port: 6379}}
store: postgresql://monitor@db/monitor
state_dir: /var/lib/monitor
defaults: {every: 20s, timezone: Europe/Kyiv, severity: info, cooldown: 0}
include: [conf.d/*.yaml]
sources:
  short: https://example.org/live
  full:
    url: https://example.org/full
    title: 2016
    kind: page
    every: ${EVERY:-15s}
    robots: ${ROBOTS}
    language: no
    select: {entry: article, time: "time@datetime"}
    headers: {X-Key: "${KEY}", Cookie_file: cookie}
    tags: [war, 2016]
    title: ~
  empty_key: {url: live.txt, title: , tags: one}
rules:
  short: ceasefire violation
  parts: {match: {any: [halted, suspended], none: holiday}}
  full: {match: 911, notify: desk, max_age: 0, tests: [{text: 911, fires: true, lang: en}], escalate: {count: 3, within: 10m}}
receivers:
  desk: {slack_file: slack, quiet: {start: "22:00", end: "7:00", days: [sat, sun]}, rate: 30/m}
  bot: {slack: "#desk", token: "${TOKEN}"}
  hook: {webhook: https://example.org/, secret: ["${A}", "${B}"], group_by: rule}
  mail: {email: desk@example.org, sender: m@example.org, host: localhost, port: 25, starttls: false}
  screen: {terminal: true}
  phones: {apprise: ["pover://x"]}
operators: desk
limits: {wire_size: 1MiB, redirects: 3, idle_time: 500ms}
fetch: {contact: desk@example.org, spacing: 2s}
http: {listen: 127.0.0.1:9464}
retention: {revisions: 30d, revisions_per_entry: 50}
reload: {watch: false}
""".replace("    title: 2016\n", "")


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(settings_schema())


def test_it_takes_what_the_reader_takes(desk):
    assert complaints(FULL) == []
    for name in ("slack", "cookie"):
        desk.write("https://hooks.slack.com/services/x", name).chmod(0o600)
    desk.write("", "live.txt")
    desk.environ |= dict.fromkeys("ABKEY", "x") | {"KEY": "x", "ROBOTS": "true", "TOKEN": "xoxb-1"}
    desk.load(FULL.replace("empty_key", "empty-key"))


def test_it_takes_the_shipped_settings():
    assert complaints(starter_files()["monitor.yaml"]) == []


# What a schema cannot see: files, variables, two places that contradict each other, YAML itself, and checks by a library.
BEYOND = frozenset(
    [
        "bytes_not_utf8",
        "mail_host_with_port",
        "no_source_at_all",
        "tag_without_quotes",
        "url_without_a_scheme",
        "utf16",
        "control_character",
        "tab_indentation",
        "tab_after_spaces",
        "duplicate_key",
        "duplicate_source",
        "duplicate_in_flow",
        "tag_python",
        "tag_own",
        "alias_bomb",
        "alias_undefined",
        "alias_to_itself",
        "merge_key",
        "nested_too_deep",
        "unclosed_quote",
        "unclosed_bracket",
        "colon_in_text",
        "missing_colon",
        "indentation_off",
        "starts_with_at",
        "unknown_escape",
        "second_document",
        "key_is_a_list",
        "key_is_a_variable",
        "timezones",
        "languages",
        "urls",
        "crons",
        "redis_no_host",
        "variable_unset",
        "variable_in_a_long_text",
        "variable_malformed",
        "include_itself",
        "unknown_receiver",
        "unknown_source_in_rule",
        "rule_that_never_fires",
        "interval_under_the_floor",
        "slowest_is_faster",
        "private_addresses",
        "text_after_a_quote",
        "apostrophe_in_single_quotes",
        "no_space_after_a_key",
        "variable_without_braces",
        "variable_in_braces_without_quotes",
        "several_syntax_errors",
        "template_braces",
        "secrets_in_the_open",
        "sent_in_the_clear",
        "webhook_secret",
        "inhibits_in_a_circle",
        "nobody_hears",
        "same_address_twice",
        "selector_syntax",
        "slack_bot",
        "receiver_of_two_kinds",
    ]
)


@pytest.mark.parametrize(
    "path", [path for path in sorted(BROKEN.glob("*.yaml")) if path.stem not in BEYOND], ids=lambda path: path.stem
)
def test_it_refuses_every_broken_file_whose_fault_is_its_form(path):
    assert complaints(path.read_text(encoding="utf-8"))


def test_every_setting_is_described():
    def bare(schema, path=()):
        for name, part in schema.get("properties", {}).items():
            if not part.get("description"):
                yield (*path, name)
        for name, part in schema.get("$defs", {}).items():
            yield from bare(part, (*path, name))

    assert list(bare(settings_schema())) == []


def test_the_schema_beside_the_shipped_settings_is_this_one():
    assert (ROOT / "config" / "monitor.schema.json").read_text(encoding="utf-8") == schema_text()


def test_what_is_ours_to_set_is_not_in_it():
    schema = settings_schema()
    named = [
        schema["properties"][section]["anyOf"][0]["additionalProperties"]
        for section in ("sources", "rules", "receivers")
    ]
    objects = [schema, *(one for entry in named for one in entry["anyOf"] if "properties" in one)]
    assert len(objects) == 1 + 1 + 1 + 5
    for one in objects:
        assert not {"id", "name", "path", "files", "mode", "warnings"} & one["properties"].keys()
