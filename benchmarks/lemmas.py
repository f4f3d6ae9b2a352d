"""How well words are told apart: our keys beside plain Snowball stems, on treebanks whose lemmas linguists set by hand.

    python benchmarks/lemmas.py DIRECTORY     # with pud.english.jsonl, pud.german.jsonl, pud.russian.jsonl, pud.turkish.jsonl

Each line of a file: {"tokens": [[start, end, form, lemma, part of speech], …]}. All pairs of different forms of content words
are compared: recall is the share of pairs with one lemma that match, false matches are pairs with other lemmas that do.
Snowball is optional: `pip install snowballstemmer`.

In Turkish we match three times as many pairs and so also more false ones; most of those are one word to a reader, to which
the treebank gives several lemmas: et, ed and edecek (do), yüzyıl and yüzyılı (century), belirt and belirtil (state, be stated).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import combinations
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from monitor.text.words import text_keys

LANGUAGES = {"en": "english", "de": "german", "ru": "russian", "tr": "turkish"}
CONTENT = {"NOUN", "VERB", "ADJ", "PROPN", "ADV", "AUX"}
NO_LEMMA = ("_", "+")  # how the treebanks mark a word whose lemma they leave open

Forms = dict[str, set[str]]


def read(path: Path) -> Forms:
    """Each form of a content word with its lemmas."""
    forms: Forms = defaultdict(set)
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            for _, _, form, lemma, part in json.loads(line)["tokens"]:
                if part in CONTENT and form.isalpha() and len(form) > 1 and not any(sign in lemma for sign in NO_LEMMA):
                    forms[form].add(lemma.lower())
    return forms


def pairs(groups: Iterable[list[str]]) -> set[tuple[str, str]]:
    return {
        pair for group in groups for pair in combinations(sorted(set(group)), 2) if pair[0].lower() != pair[1].lower()
    }


def grouped(forms: Iterable[str], keys: Callable[[str], Iterable[str]]) -> set[tuple[str, str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for form in forms:
        for key in keys(form):
            groups[key].append(form)
    return pairs(groups.values())


def row(name: str, what: str, meant: set[tuple[str, str]], found: set[tuple[str, str]]) -> str:
    right = len(meant & found)
    return (
        f"| {name} | {what} | {len(meant):,} | {right / len(meant):.1%} | {len(found - meant):,} "
        f"| {right / max(1, len(found)):.1%} |"
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("directory", type=Path)
    directory = options.parse_args().directory
    try:
        from snowballstemmer import stemmer
    except ImportError:
        stemmer = None
        print("Snowball is not installed: our own rows only\n")
    print("| language | keys | pairs of one lemma | recall | false matches | of all matches right |")
    print("|---|---|---|---|---|---|")
    for language, name in LANGUAGES.items():
        path = directory / f"pud.{name}.jsonl"
        if not path.exists():
            print(f"| {name} | no file {path} | | | | |")
            continue
        forms = read(path)
        meant = grouped(forms, lambda form: forms[form])  # noqa: B023 - used within the turn
        ours = grouped(forms, lambda form: text_keys(form, language).lemmas)  # noqa: B023
        print(row(name, "ours", meant, ours), flush=True)
        if stemmer is not None:
            stem = stemmer(name).stemWord
            theirs = grouped(forms, lambda form: [stem(form.lower())])  # noqa: B023
            print(row(name, "Snowball", meant, theirs), flush=True)


if __name__ == "__main__":
    main()
