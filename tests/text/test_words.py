"""Which words are the same word, and how a text becomes words with positions."""

import string

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.text.characters import normal
from monitor.text.folding import fold, lower
from monitor.text.korean import without_particle
from monitor.text.languages import base_language
from monitor.text.lemmas import lemma
from monitor.text.passages import SENTENCE_GAP, read_chunk
from monitor.text.tokens import is_mark, pieces, tokens, units
from monitor.text.words import MAX_WORD, is_known, rule_keys, text_keys


def same(rule, text, language="en"):
    looked_for, found = rule_keys(rule, language), text_keys(text, language)
    return not set(looked_for.spellings + looked_for.lemmas).isdisjoint(found.spellings + found.lemmas)


@pytest.mark.parametrize(
    ("one", "other", "language"),
    [
        ("suspended", "suspension", "en"),
        ("Syria", "Syria’s", "en"),
        ("evacuation", "l’évacuation", "fr"),
        ("accordo", "dell'accordo", "it"),
        ("4,000", "4000", "en"),
        ("4.000", "4000", "de"),
        ("٤٠", "40", "ar"),
        ("휴전", "휴전을", "ko"),
        ("елка", "Ёлка", "ru"),
        ("كتاب", "كِتَاب", "ar"),
    ],
)
def test_spellings_and_inflections_of_a_word_are_the_same_word(one, other, language):
    assert same(one, other, language)


@pytest.mark.parametrize(
    ("one", "other", "language"),
    [
        ("suspended", "suspender", "en"),
        ("several", "severe", "en"),
        ("3.500", "3500", "en"),
        ("año", "ano", "es"),
        ("мой", "мои", "xx"),
        ("gård", "gard", "nn"),
        ("us", "AIDS", "en"),
    ],
)
def test_other_words_stay_other_words(one, other, language):
    assert not same(one, other, language)


@pytest.mark.parametrize(
    ("text", "language", "expected"), [("ISPARTA", "tr", "ısparta"), ("İZMİR", "tr", "izmir"), ("I", "en", "i")]
)
def test_turkish_keeps_its_two_i_apart(text, language, expected):
    assert lower(text, language) == expected


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("café", "en", "cafe"),
        ("öldü", "tr", "öldü"),
        ("schön", "de", "schön"),
        ("straße", "de", "strasse"),
        ("ёж", "ru", "еж"),
        ("łódź", "pl", "lodz"),
    ],
)
def test_accents_fold_as_readers_of_the_language_drop_them(text, language, expected):
    assert fold(text, language) == expected


def test_a_word_of_no_dictionary_may_be_a_slip_and_a_known_one_may_not():
    assert not is_known("suspecnded", "en")
    assert is_known("suspender", "en")
    assert is_known("Syria’s", "en")


def test_korean_particles_go_as_long_as_two_syllables_are_left():
    assert without_particle("서울에서는") == "서울"
    assert without_particle("국가") == "국가"


@pytest.mark.parametrize(
    ("tag", "base"),
    [("pt-BR", "pt"), ("zh_Hant", "zh"), ("iw", "he"), (None, "en"), ("", "en"), ("nb", "nb"), ("no", "nb")],
)
def test_a_language_tag_is_read_by_its_base(tag, base):
    assert base_language(tag) == base


@pytest.mark.parametrize(
    ("chunk", "words"),
    [
        ("cease-fire", ["cease", "fire", "ceasefire"]),
        ("U.S.-led", ["U", "S", "led", "US"]),
        ("#CeasefireViolation", ["Ceasefire", "Violation", "CeasefireViolation"]),
        ("#UNHCRSyria2016", ["UNHCR", "Syria", "2016"]),
        ("צה״ל", ["צהל"]),
        ("آتش\u200cبس", ["آتش", "بس", "آتشبس"]),
        ("停火。", ["停", "火"]),
        ("2016-12-15", ["2016", "12", "15"]),
        ("ab--cd", ["ab", "cd"]),
        ("“suspended,”", ["suspended"]),
    ],
)
def test_a_chunk_gives_its_words_and_its_compounds(chunk, words):
    found = [word.text for word in read_chunk(chunk, "en").words]
    assert [word for word in words if word not in found] == []
    assert "abcd" not in found


@pytest.mark.parametrize(
    ("chunk", "language", "ending"),
    [
        ("holds.", "en", 2),
        ("Mr.", "en", 0),
        ("U.N.", "en", 0),
        ("A.", "en", 0),
        ("15.", "de", 0),
        ("15.", "en", 1),
        ("now!", "en", 2),
        ("“now.”", "en", 1),
        ("end,", "en", 0),
        ("停火。", "zh", 2),
        ("है।", "hi", 2),
    ],
)
def test_a_chunk_knows_whether_it_ends_a_sentence(chunk, language, ending):
    assert read_chunk(chunk, language).ending == ending


def test_a_sentence_end_inside_a_chunk_keeps_its_words_apart():
    words = read_chunk("停车。火灾", "zh").words
    assert words[2].first - words[1].last == 1 + SENTENCE_GAP


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=string.ascii_letters + "éжשعあ한-'’.,!#“ ”0123$\u0301\u200c", max_size=30))
@example("a.b.")
def test_every_word_of_a_chunk_stands_where_it_says(text):
    for chunk in text.split():
        read = read_chunk(chunk, "en")
        shown = [word for word in read.words if word.first == word.last]
        assert [word.first for word in shown] == sorted(word.first for word in shown)
        assert all(0 <= word.start < word.end <= len(chunk) and word.last < read.width for word in read.words)
        assert sum(len(token.text) for token in tokens(chunk) if token.kind != "mark") <= sum(
            w.end - w.start for w in shown
        ) + chunk.count("”") + chunk.count("“")


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=MAX_WORD * 2), st.sampled_from(["en", "tr", "ko", "ar", "xx"]))
def test_any_string_has_keys_as_a_word_of_a_text_and_of_a_rule(text, language):
    found = text_keys(text, language)
    assert all(len(key) > 1 for key in found.spellings + found.lemmas + found.verbatim)
    assert rule_keys(text[:MAX_WORD], language) is not None


@settings(max_examples=300, deadline=None)
@given(st.text(st.one_of(st.characters(), st.sampled_from("ab1.,:'’ \n\u0301漢กำ\u200bé"))))
@example("the coast guard's 4,000 boats, 12:07")
@example("ทหาร 漢字 و\u0640\u0640 na\u0131ve")
def test_pieces_are_the_texts_of_the_tokens_and_units_add_the_space_between(text):
    assert pieces(text) == [token.text for token in tokens(text)]
    assert "".join(units(text)) == text
    assert [unit for unit in units(text) if not unit.isspace()] == pieces(text)


@pytest.mark.parametrize("text", ["word", "été", "4,000", "漢", "ก", "d’accord", "x1"])
def test_words_numbers_and_characters_are_no_marks(text):
    assert not is_mark(text)


@pytest.mark.parametrize("text", [".", "–", "€", "🙂", '"'])
def test_everything_else_is_a_mark(text):
    assert is_mark(text)


@pytest.mark.parametrize("form", ["NFC", "NFKC"])
def test_any_number_of_combining_marks_is_put_in_order_in_linear_time(form):
    marks = (
        "\u0315" * 100_000 + "\u0300" * 100_000
    )  # in the wrong order: minutes, if every mark is moved past all others

    assert len(normal(form, "a" + marks)) > 199_000
    assert normal(form, "a\u0315\u0300b") == "à\u0315b"


def test_long_words_are_looked_up_as_they_stand():
    assert lemma("x" * 100, "fi") == "x" * 100
