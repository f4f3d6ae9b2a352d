"""Text of a settings file to a tree: what is written is what is read, and everything has its place."""

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.settings.problems import Problems
from monitor.settings.reader import read_tree
from monitor.settings.tree import Mapping, Scalar, find, lines_of, plain


def read(text):
    problems = Problems()
    tree = read_tree(text, "f.yaml", problems)
    return tree, problems


@pytest.mark.parametrize(
    "written",
    ["on", "no", "yes", "12:30", "12:30:45", "010", "0x1f", "2016-12-15", "1e3", ".inf", "=", "1_000", "true", "15"],
)
def test_scalars_stay_the_text_that_was_written(written):
    tree, problems = read(f"a: {written}\n")
    assert not problems.found
    assert plain(tree) == {"a": written}


@pytest.mark.parametrize("written", ["", "~", "null", "Null", "NULL"])
def test_an_empty_or_null_value_is_nothing(written):
    tree, _ = read(f"a: {written}\nb: x\n")
    assert plain(tree) == {"a": None, "b": "x"}


@pytest.mark.parametrize("written", ['""', '"null"', "'~'"])
def test_quoted_text_is_never_null(written):
    tree, _ = read(f"a: {written}\n")
    assert list(plain(tree)) == ["a"]


def test_crlf_and_a_byte_order_mark_change_nothing(desk):
    path = desk.directory / "monitor.yaml"
    path.write_bytes(b"\xef\xbb\xbfsources:\r\n  a:\r\n    url: https://example.org/\r\n    evry: 15s\r\n")
    from monitor.settings import examine

    examined = examine(path, environ={}, rule_checker=lambda rules: None)
    assert [(problem.place.line, problem.place.column) for problem in examined.errors] == [(4, 5)]


def test_an_empty_file_is_settings_without_anything():
    assert plain(read("")[0]) == {}
    assert plain(read("# nothing yet\n")[0]) == {}


def test_aliases_repeat_a_value_at_the_place_it_was_written():
    tree, problems = read("a: &x [1, 2]\nb: *x\n")
    assert plain(tree) == {"a": ["1", "2"], "b": ["1", "2"]}
    assert find(tree, ("b", 1))[0].place == find(tree, ("a", 1))[0].place
    assert not problems.found


STYLES = st.sampled_from([None, "'", '"', "|", ">"])
WORDS = st.text(st.sampled_from(list("ab ' \" \\ : # { é中\U0001f600$-\n\u2028")), min_size=1, max_size=60)


@given(WORDS, STYLES, st.sampled_from([20, 1000]))
@example("two  words\nand more", ">", 20)
@settings(max_examples=200)
def test_the_place_of_a_character_is_where_it_stands_in_the_file_however_it_is_quoted(words, style, width):
    text = yaml.dump({"k": {"deep": words}}, default_style=style, allow_unicode=True, width=width)
    tree, problems = read(text)
    assert not problems.found
    node = find(tree, ("k", "deep"))[0]
    if node.text is None:
        return
    assert node.text == words
    lines = lines_of(text)
    for offset, character in enumerate(words):
        if character.isspace():
            continue
        place = node.place_of(offset)
        found = lines[place.line - 1][place.column - 1]
        assert found == character or found == "\\", (text, offset, place)


@given(st.text(max_size=200))
@settings(max_examples=150)
def test_any_text_is_a_tree_or_a_problem(text):
    tree, problems = read(text)
    assert tree is not None or problems.errors


SOUND = """\
version: 1
defaults: {every: 15s}
sources:
  aleppo: {url: "https://example.org/live", tags: [war, syria]}
rules:
  truce:
    match: >
      ceasefire
      violation
    tests:
      - {text: 'a "violation" of the ceasefire', fires: true}
receivers:
  screen: {terminal: true}
"""


@given(st.data())
@settings(max_examples=150)
def test_a_damaged_file_never_escapes_as_an_exception(data):
    from monitor.settings.build import Builder

    at = data.draw(st.integers(0, len(SOUND)))
    cut = data.draw(st.integers(0, 12))
    put = data.draw(st.text(st.sampled_from(list("\t\n:{}[]&*!%@'\"|>-? aé\x00${")), max_size=6))
    tree, problems = read(SOUND[:at] + put + SOUND[at + cut :])
    if tree is not None:
        Builder({}, problems).settings(tree, __import__("pathlib").Path("f.yaml"))


def test_the_tree_knows_keys_and_values_apart():
    tree, _ = read("a:\n  b: [x, y]\n")
    node, key_place = find(tree, ("a", "b"))
    assert (key_place.line, key_place.column) == (2, 3)
    assert (node.place.line, node.place.column) == (2, 6)
    assert isinstance(find(tree, ("a",))[0], Mapping)
    assert isinstance(find(tree, ("a", "b", 1))[0], Scalar)
