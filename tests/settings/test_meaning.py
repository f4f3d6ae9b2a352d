"""What settings mean together is checked at the character that is wrong."""

import pytest

from monitor.errors import RuleError
from monitor.rules import compile_rules

RULES = "sources: {a: https://example.org/}\nrules:\n"


def column_of(desk, text):
    (error,) = desk.examine(text, checker=compile_rules).errors
    return error.place.line, error.place.column


@pytest.mark.parametrize(
    ("written", "line", "column"),
    [
        ("  r: (halted\n", 3, 6),  # plain
        ("  r: {match: 'halted OR (stopped'}\n", 3, 25),  # single quotes
        ('  r: {match: "say \\"x\\" OR (a"}\n', 3, 28),  # double quotes with escapes before
        ("  r:\n    match: |\n      halted OR\n      (stopped\n", 6, 7),  # literal block
        ("  r:\n    match: >\n      halted OR\n      stopped OR (called off\n", 6, 18),  # folded block
        ("  r: {match: {any: [halted, 'a (b']}}\n", 3, 32),  # an item of a list
        ("  r: {match: {none: [halted]}}\n", 3, 14),  # no item alone is wrong
    ],
)
def test_a_mistake_in_a_rules_text_is_shown_at_its_character_of_the_file(desk, written, line, column):
    assert column_of(desk, RULES + written) == (line, column)


def test_every_rule_with_a_mistake_is_told(desk):
    said = desk.said(RULES + "  r: (halted\n  s: halted OR\n  t: fine\n  u: '/(?=x)/'\n", checker=compile_rules)
    assert [one.split(": error: ")[0] for one in said] == ["monitor.yaml:3:6", "monitor.yaml:4:13", "monitor.yaml:6:8"]
    assert all(" — " in one for one in said)


def test_a_mistake_behind_a_variable_is_shown_at_the_rules_start(desk):
    desk.environ["WORDS"] = "halted OR stopped OR ("
    assert column_of(desk, RULES + "  r: {match: '${WORDS}'}\n") == (3, 14)


def test_the_checker_is_asked_about_every_rule_at_once_when_all_are_well(desk):
    asked = []
    desk.load(RULES + "  r: halted\n  s: stopped\n", checker=lambda rules: asked.append(dict(rules)))
    assert asked == [{"r": "halted", "s": "stopped"}]


def test_a_checkers_error_without_a_mend_still_has_one(desk):
    def refuse(rules):
        raise RuleError("no", column=1)

    (said,) = desk.said(RULES + "  r: halted\n", checker=refuse)
    assert said == "monitor.yaml:3:6: error: rule r: no — docs/rules.md shows how"


def test_private_addresses_pass_where_they_are_allowed(desk):
    settings = desk.load("""
        sources: {a: {url: "http://127.0.0.1:8080/", allow_private: true}}
        rules: {r: {match: x, notify: hook}}
        receivers: {hook: {webhook: "http://localhost/hook", allow_private: true}}
    """)
    assert settings.warnings == ()


def test_names_of_parts_with_errors_count_as_known(desk):
    said = desk.said("""
        sources: {aleppo: {ulr: x}}
        rules: {r: {match: x, sources: [aleppo], notify: [desk]}}
        receivers: {desk: {slak: x}}
    """)
    assert [one.rpartition(": error: ")[2] for one in said] == [
        "sources.aleppo.ulr: unknown key 'ulr' — did you mean 'url'?",
        "receivers.desk.slak: unknown key 'slak' — did you mean 'slack'?",
    ]


@pytest.mark.parametrize(
    "written",
    [
        "receivers: {desk: https://hooks.slack.com/services/T/B/canary-hunter2}",
        "receivers: {desk: {slack: [canary-hunter2]}}",
        "receivers: {desk: {slack: {url: canary-hunter2}}}",
        "receivers: {desk: {slack: hooks.slack.com/services/canary-hunter2}}",
        "receivers: {desk: {slack: 'https://me:canary-hunter2@hooks.slack.com/x'}}",
        "receivers: {desk: {webhook: https://example.org/canary-hunter2, secrt: canary-hunter2}}",
        "receivers:\n  desk:\n    webhook: https://example.org/\n    secret:\n      - canary-hunter2\n      - [x]\n",
        "receivers:\n  desk:\n    webhook: https://example.org/\n    secret: >\n      canary-hunter2\n      and more\n    extra: 1",
        "sources: {a: {url: https://example.org, headers: canary-hunter2}}",
        'sources: {a: {url: https://example.org, headers: {Cookie: "canary-hunter2\\n"}}}',
        "sources: {a: {url: 'https://me:canary-hunter2@example.org'}}",
        "sources: {a: {url: 'https://me:canary-hunter2@example.org:x/'}}",
        "redis: http://me:canary-hunter2@example.org",
        "redis: redis://:canary-hunter2@[::1\nstore: mysql://me:canary-hunter2@x",
        "receivers: {desk: {slack: '${SLACK_WEBHOOK_URL}', rate: '${SECRET}'}}",
        "receivers: {desk: {slack: '${SECRET}'}}\nprefix: [x",
        "receivers: {desk: {secret: canary-hunter2\n",
        "fetch: {proxy: 'socks://me:canary-hunter2@example.org'}",
    ],
)
def test_a_secret_in_the_wrong_place_is_not_quoted(desk, canary, written):
    examined = desk.examine(written)
    assert examined.errors
    assert canary not in "\n".join(examined.described())


def test_a_secret_is_never_printed(desk, canary):
    settings = desk.load("""
        redis: "redis://:${SECRET}@localhost"
        sources: {a: {url: https://example.org/, headers: {Cookie: "${SECRET}"}}}
        rules: {r: {match: x, notify: [desk, hook, phones]}}
        receivers:
          desk: {slack: "${SLACK_WEBHOOK_URL}"}
          hook: {webhook: "https://example.org/${SECRET}", secret: ["${SECRET}", "${SECRET}2"]}
          phones: {apprise: "pover://${SECRET}"}
    """)
    for shown in (repr(settings), str(settings), f"{settings!r:>10}", repr(settings.model_dump()), settings.redis.url):
        assert canary not in str(shown)
    assert settings.sources["a"].headers["Cookie"].reveal() == canary
    with pytest.raises(Exception, match="serialize|Secret"):
        settings.model_dump_json()


@pytest.mark.parametrize(
    ("rule", "column"),
    [
        ("halted AND NOT halted", 16),
        ("ceasefire violation NOT violation", 25),
        ('evacuation AND NOT ("called off" OR evacuation)', 37),
        ("(a AND NOT a) OR (b AND NOT b)", 12),
        ("title:halted AND NOT halted", 22),
        ("(halted OR halted) AND NOT halted", 28),
    ],
)
def test_a_rule_that_forbids_what_it_needs_is_warned_of(desk, rule, column):
    said = desk.said(RULES + f"  r: {rule}\n", checker=compile_rules)
    assert len(said) == 1
    assert said[0].startswith(f"monitor.yaml:3:{5 + column}: warning: rule r can never fire: it needs ")


@pytest.mark.parametrize(
    "rule",
    [
        "halted AND NOT stopped",
        "halted NOT title:halted",
        "ceasefire NOT ceasefire violation",
        "(a AND NOT a) OR b",
        "a EXCEPT a b",
        "a~ NOT a",
    ],
)
def test_a_rule_that_can_fire_is_not_warned_of(desk, rule):
    assert desk.said(RULES + f"  r: {rule}\n", checker=compile_rules) == []
