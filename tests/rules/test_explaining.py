"""What `explain` and the hints say, and that forms without operators mean what they say."""

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.errors import RuleError
from monitor.rules import RuleText, compile_rules, explain, lint
from monitor.rules.patterns import compile_pattern

FAR = "The ceasefire that all seven parties agreed on at last in Astana saw one violation"


@pytest.mark.parametrize(
    ("rule", "text", "miss"),
    [
        ("ceasefire violation", FAR, "`violation` is 12 words from `ceasefire`; natural phrases reach 6"),
        ("ceasefire NEAR/3 violation", FAR, "`violation` is 12 words from `ceasefire`; NEAR/3 reaches 3"),
        (
            "ceasefire violation",
            "The ceasefire holds. A violation",
            "a sentence ends between `ceasefire` and `violation`; write `ceasefire NEAR/20 violation` to cross it",
        ),
        (
            "rebels BEFORE/5 bridge",
            "The bridge of the rebels",
            "`bridge` comes before `rebels`; NEAR takes both orders",
        ),
        ("live fire", "fire", "`live` and `fire` are in different fields; write AND between them"),
        (
            "suspended",
            "It was suspecnded",
            "`suspended` is not in the title and text, but the unknown word 'suspecnded' is; `suspended~` finds it",
        ),
        ("title:fire", "fire", "`fire` is not in the title, only in the text"),
        (
            '"fire drill"',
            "a drill of fire",
            'the words of "fire drill" are there, but not next to each other in this order',
        ),
        (
            '"fire drill"',
            "fires drill",
            "`fire` is there in another form only; quotation marks mean exactly as written",
        ),
        ("fire NOT drill", "fire drill", "`drill` must not be there, but is: 'drill' in the text"),
        ('fire EXCEPT "fire drill"', "fire drill", 'every `fire` lies within `"fire drill"`'),
        ("ATLEAST/3 fire", "fire and fire", "`fire` is there 2 times, 3 are asked for"),
        ("=Fire", "the fire", "`Fire` is there as 'fire' only"),
        ("fire AND tag:x", "fire", "`tag:x` is not so"),
        ("/[0-9]+ dead/", "none dead", "nothing in the title and text is like `/[0-9]+ dead/`"),
    ],
)
def test_a_rule_that_does_not_fire_says_what_was_missing(rule, text, miss):
    explanation = explain(rule, RuleText(text, title="Live"))
    assert not explanation.fires
    assert miss in explanation.misses


def test_a_rule_that_fires_says_where_each_part_was_found():
    explanation = explain("title:fire AND (flood OR evacuations)", RuleText("They evacuate", title="A fire"))
    assert explanation.fires
    assert explanation.misses == ()
    assert [(m.field, m.start, m.end, m.text, m.term) for m in explanation.matches] == [
        ("title", 2, 6, "fire", "fire"),
        ("text", 5, 13, "evacuate", "evacuations"),
    ]
    assert [(part.term, part.holds, part.depth) for part in explanation.parts][2:] == [
        ("fire", True, 2),
        ("flood OR evacuations", True, 1),
        ("flood", False, 2),
        ("evacuations", True, 2),
    ]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("fire OR flood AND coast", "AND binds tighter than OR"),
        ("US", "in capitals only"),
        ("us", "common word"),
        ('fire NOT "fire drill"', "drops every entry"),
        ("fire near/3 coast", "`near/3` is a word here"),
        ("fire or flood", "`or` is a word here"),
        (r"/\d+ [a-z]{2}/", "no three letters"),
        ("fire, flood", "a comma means nothing"),
        ("cat~", "under 4 letters"),
        ("fire -flood coast", "excludes the whole phrase"),
        ("fires?", "exactly one letter"),
    ],
)
def test_what_is_seldom_meant_gets_a_hint(rule, message):
    assert message in " ".join(hint.message for hint in lint(rule))


@pytest.mark.parametrize(
    "rule",
    [
        "suspended",
        "(fire OR flood) AND coast",
        "fire NOT drill",
        '"fire drill"',
        "/fire \\d/",
        "NATO",
        {"any": ["fire"]},
    ],
)
def test_a_plain_rule_gets_none(rule):
    assert lint(rule) == ()


def test_a_rule_that_fires_on_too_many_recent_entries_gets_a_hint():
    assert "fires on 30 of the last 40" in lint("said", sample=["He said"] * 30 + ["x"] * 10)[0].message
    assert lint("fire", sample=["x"] * 40) == ()


def test_words_of_a_language_without_a_dictionary_get_a_hint():
    assert "no dictionary of `eu`" in lint("suteten", languages=["eu"])[0].message


@pytest.mark.parametrize(
    ("form", "text", "fires"),
    [
        ({"any": ["fire", "flood"]}, "A flood", True),
        ({"all": ["fire", "coast"]}, "A fire", False),
        ({"all": ["fire"], "none": ["drill", "test"]}, "fire test", False),
        ({"any": "called off"}, "It was called off", True),
        ({"all": [{"any": ["fire", "flood"]}, "coast"]}, "A flood on the coast", True),
        ({"any": ["fire~"], "all": ["title:live"]}, "A frie", True),
    ],
)
def test_forms_without_operators(form, text, fires):
    assert bool(compile_rules({"r": form}).match(text, title="Live")) is fires


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"none": ["fire"]}, "at least one thing"),
        ({}, "at least one thing"),
        ({"some": ["fire"]}, "`some` says nothing"),
        ({"any": []}, "needs a list"),
        ({"any": [2016]}, "no text"),
        ({"any": ["fire", "(flood"]}, "any[1]: this bracket is never closed"),
    ],
)
def test_a_form_that_means_nothing_is_refused(form, said):
    with pytest.raises(RuleError, match=said.replace("[", r"\[").replace("]", r"\]")):
        compile_rules({"r": form})


def test_every_wrong_rule_is_named_at_once():
    with pytest.raises(RuleError) as refused:
        compile_rules({"one": "(a", "two": "b", "three": "NOT c"})
    assert "one:1: this bracket is never closed" in str(refused.value)
    assert "three:1: a rule must contain" in str(refused.value)


PIECES = st.sampled_from(
    [
        "a",
        "fire",
        "AND",
        "OR",
        "NOT",
        "NEAR/3",
        "EXCEPT",
        "ATLEAST/2",
        "(",
        ")",
        '"',
        "/",
        "~",
        "*",
        "=",
        "title:",
        "-",
        " ",
        "停火",
        "\\b",
        "[",
        "{9}",
        "’",
        "\ud800",
        "\0",
        "ca*",
    ]
)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200) | st.lists(PIECES, max_size=60).map("".join) | st.lists(PIECES, max_size=60).map(" ".join))
@example("(" * 10_000)
@example('"' * 9_999)
@example("'a " * 3_000)
@example("a AND " * 1_600 + "a")
@example("/" + "(a{30}){30}" * 400 + "/")
@example("/" + r"\b\pL+" * 1_000 + "/")
@example("title:" * 1_600 + "a")
@example("-" * 10_000)
@example("a~" * 5_000)
@example("x" * 10_000)
def test_any_string_is_a_rule_or_a_clear_error_at_once(text):
    error = refused(text)
    assert min(judged_in(text) for _ in range(3)) < 0.05  # the quietest moment counts
    if error is not None:
        assert 1 <= error.column <= len(text) + 1
        assert error.message
        assert error.mend


def judged_in(text):
    compile_pattern.cache_clear()
    start = time.process_time()
    refused(text)
    return time.process_time() - start


def refused(text):
    try:
        compile_rules({"rule": text})
    except RuleError as error:
        return error
    return None
