"""What a rule's text means as a tree, and what is refused with which column and mend."""

import pytest

from monitor.errors import RuleError
from monitor.rules.parser import parse
from monitor.rules.syntax import And, AtLeast, Except, Group, InField, Near, Not, Or, Phrase, Verbatim, Wild, Word


def word(text):
    return Word(text, 1, text)


A, B, C, D = (word(text) for text in "abcd")


def near(left, right, distance=6, ordered=False):
    return Near("", 1, left, right, distance, ordered)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a b NEAR/3 c", near(Group("", 1, (A, B)), C, 3)),
        ("a NEAR b EXCEPT c", Except("", 1, near(A, B), C)),
        ("a EXCEPT b AND c", And("", 1, (Except("", 1, A, B), C))),
        ("a AND b OR c AND d", Or("", 1, (And("", 1, (A, B)), And("", 1, (C, D))))),
        ("a OR b c", Or("", 1, (A, Group("", 1, (B, C))))),
        ("a NOT b EXCEPT c", And("", 1, (A, Not("", 1, Except("", 1, B, C))))),
        ("a NOT b -c AND NOT d", And("", 1, (A, Not("", 1, B), Not("", 1, C), Not("", 1, D)))),
        ("a BEFORE/0 b NEAR/2 c", near(near(A, B, 0, True), C, 2)),
        ("((a))", A),
        ("(a OR b) c", Group("", 1, (Or("", 1, (A, B)), C))),
        ("title:a", InField("", 1, "title", A)),
        ("BODY: a", InField("", 1, "body", A)),
        ("ATLEAST/2 a AND b", And("", 1, (AtLeast("", 1, 2, A), B))),
        ('"a  b"~5', Phrase("", 1, ("a", "b"), 5)),
        ('="a b"', Verbatim("", 1, "a b")),
        ("org?n*", Wild("", 1, "org?n*")),
        ("and or not near", Group("", 1, (word("and"), word("or"), word("not"), word("near")))),
    ],
)
def test_operators_bind_in_the_documented_order(text, tree):
    assert parse(text) == tree


def test_a_part_knows_its_text_and_column():
    tree = parse('fire AND  ("called off" OR flood~)')
    phrase, fuzzy = tree.operands[1].operands
    assert (phrase.term, phrase.column) == ('"called off"', 12)
    assert (fuzzy.term, fuzzy.column) == ("flood~", 28)


REFUSED = [
    ("", 1, "empty", "at least one word"),
    ("   ", 1, "empty", "at least one word"),
    ("NOT foo", 1, "at least one thing to look for", "must be there"),
    ("-foo", 1, "at least one thing to look for", "must be there"),
    ("NOT a NOT b", 1, "at least one thing to look for", "must be there"),
    ("a OR NOT b", 6, "at least one thing to look for", "must be there"),
    ("title:(NOT a)", 8, "at least one thing to look for", "must be there"),
    ("a NOT NOT b", 7, "cancels", "leave out"),
    ("title:ceasefire violation", 1, "only its own word", "title:(ceasefire violation)"),
    ("ceasefire title:violation", 11, "only its own word", "AND before title:violation"),
    ("source:ap ceasefire", 1, "no word of a phrase", "AND"),
    ("ATLEAST/2 a b", 1, "no word of a phrase", "AND"),
    ("ca*", 3, "3+ letters before it", "more of the word"),
    ("*ing", 1, "3+ letters before it", "more of the word"),
    ('"a* b"', 3, "3+ letters before it", "more of the word"),
    ("停火协议*", 5, "no spaces", "leave out the wildcard"),
    ("a NEAR/3 (b AND c)", 11, "AND cannot stand inside a phrase or NEAR", "outside"),
    ("a NEAR/3 (b NOT c)", 11, "cannot stand inside", "outside"),
    ("a NEAR/3 title:b", 10, "cannot stand inside", "title:( … )"),
    ("(a AND b) c", 2, "cannot stand inside", "outside"),
    ("(a AND b) EXCEPT c", 2, "cannot stand inside EXCEPT", "outside"),
    ("ATLEAST/2 (a AND b)", 12, "cannot stand inside ATLEAST", "outside"),
    ("a NEAR/x b", 8, "a number from 0 to 500", "NEAR/4"),
    ("a NEAR/ b", 8, "a number from 0 to 500", "NEAR/4"),
    ("a NEAR/501 b", 8, "a number from 0 to 500", "NEAR/4"),
    ("a NEAR/-1 b", 8, "a number from 0 to 500", "NEAR/4"),
    ("a BEFORE/٣ b", 10, "a number from 0 to 500", "BEFORE/4"),
    ("a ONEAR/3 b", 3, "no operator", "BEFORE/3"),
    ("a AND/3 b", 3, "no operator", "operators are"),
    ("ATLEAST killed", 1, "needs a number", "ATLEAST/2"),
    ("ATLEAST/0 killed", 9, "a number from 1 to 1000", "ATLEAST/4"),
    ("ATLEAST/2", 1, "something after it", "word after it"),
    ("(a", 1, "never closed", "closing bracket"),
    ("a)", 2, "closes nothing", "remove it"),
    ("()", 1, "nothing between", "word inside"),
    ('"a', 1, "never closed", "closing quotation mark"),
    ('""', 1, "nothing to look for", "word inside"),
    ('"…"', 1, "nothing to look for", "word inside"),
    ("a AND", 3, "something after it", "word after it"),
    ("AND a", 1, "something before it", "word before it"),
    ("a OR OR b", 3, "something after it", "between"),
    ("a NEAR", 3, "something after it", "word after it"),
    ("a && b", 3, "nothing to look for", "write AND"),
    ("a || b", 3, "nothing to look for", "write OR"),
    ("a - b", 3, "must touch", "-word"),
    ("!a", 1, "no operator", "NOT a"),
    ("+a", 1, "no operator", "write a"),
    ("titel:x", 1, "no field", "did you mean title:?"),
    ("https://example.org", 1, "no field", "quotation marks"),
    ("title:", 1, "needs something", "title:word"),
    ("title:title:a", 1, "needs something", "title:word"),
    ("title:(body:a)", 8, "cannot stand inside title:", "AND"),
    ("source:", 1, "needs a value", "source:value"),
    ("source:(a OR b)", 8, "takes one value", "source:a OR source:b"),
    ("suspended~3", 10, "the distance is 1 or 2", "suspended~1"),
    ("~suspended", 1, "behind the word", "suspended~"),
    ("evac*~", 1, "not both", "evac~"),
    ('"a b"~', 6, "a number of words", '"…"~5'),
    ('"a b"~999', 6, "a number of words", '"…"~5'),
    ('"ceasefire~ holds"', 11, "no meaning inside quotation marks", "BEFORE/0"),
    ("=", 1, "needs a word", "=US"),
    ("=US~", 1, "exactly as written", "leave out"),
    ("/(?=x)y/", 2, "RE2 refuses", "EXCEPT"),
    (r"/(a)\1/", 2, "RE2 refuses", "twice"),
    ("/a{2000}/", 2, "RE2 refuses", "repeat less"),
    ("/a(/", 2, "RE2 refuses", "Syntax"),
    (r"/\C/", 2, "byte", "any character"),
    ("/a*/", 2, "empty text", "+"),
    (r"/\b\pL{50}\b/", 2, "too large", "repeat less"),
    (" OR ".join(rf"/\b\pL{{5}}{'x' * n}\b/" for n in range(100)), 53, "too large together", "several rules"),
    (" OR ".join(["/ab/"] * 101), 770, "too large together", "several rules"),
    ("/[" + r"\w" * 400 + "]/", 2, "too large", "repeat less"),
    ("/abc", 1, "no / closes", "close it"),
    ("/abc/x", 6, "only i is known", r"\/"),
    ("a b c d e f g h i j k l m n o p q r s t u", 41, "20 words", "AND or OR"),
    ("(" * 41 + "a" + ")" * 41, 41, "40 levels", "brackets"),
    ("b " + "a" * 101, 3, "no word has over 100 letters", "*"),
    ("a" * 10_001, 10_001, "10,000 characters", "split"),
]


def test_the_patterns_an_editor_writes_in_one_rule_are_not_too_many():
    written = [rf"/\b\w+ at least {n},000\b/i" for n in range(10)] + [
        rf"/\b{n},000 (rebel )?fighters\b/" for n in range(12)
    ]
    assert len(parse(" OR ".join(written)).operands) == 22


@pytest.mark.parametrize(("text", "column", "message", "mend"), REFUSED, ids=lambda value: str(value)[:30])
def test_what_means_nothing_is_refused_with_column_and_mend(text, column, message, mend):
    with pytest.raises(RuleError) as refused:
        parse(text)
    assert message in refused.value.message
    assert mend in (refused.value.mend or "")
    assert refused.value.column == column
