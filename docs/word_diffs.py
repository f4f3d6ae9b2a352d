"""Write docs/word-diffs.md: twenty edits as the monitor tells them. `python docs/word_diffs.py > docs/word-diffs.md`"""

from __future__ import annotations

import sys

from monitor.model import DiffOp
from monitor.reconcile.edits import Side, judge
from monitor.reconcile.features import canonical_content
from monitor.text.diff import word_diff

PAIRS = (
    (
        "A slip of the keyboard",
        "The ferry has been suspecnded until the wind drops.",
        "The ferry has been suspended until the wind drops.",
    ),
    ("A count", "Divers brought 135 people ashore before noon.", "Divers brought 137 people ashore before noon."),
    ("A count in words", "Four boats are still out.", "Five boats are still out."),
    ("A denial", "The harbour is a closed area, the pilot said.", "The harbour is not a closed area, the pilot said."),
    ("A sentence added at the end", "The bridge is open.", "The bridge is open. One lane stays shut for the painters."),
    (
        "A sentence added in between",
        "The bridge is open. Traffic is light.",
        "The bridge is open. One lane stays shut. Traffic is light.",
    ),
    (
        "A paragraph added",
        "The bridge is open.\n\nTraffic is light.",
        "The bridge is open.\n\nOne lane stays shut.\n\nTraffic is light.",
    ),
    (
        "A sentence taken out",
        "It rained all night. The cellar is full. Pumps are on their way.",
        "It rained all night. Pumps are on their way.",
    ),
    (
        "A sentence replaced",
        "Nobody was hurt. The road reopens at nine.",
        "Two drivers were treated for shock. The road reopens at nine.",
    ),
    ("A caution", "The fire began in the kitchen.", "The fire reportedly began in the kitchen."),
    (
        "Quotation marks dropped",
        'The minister called it "under control" on Monday.',
        "The minister called it under control on Monday.",
    ),
    ("A name put right", "Judge Halvorsen will hear the case.", "Judge Halvorson will hear the case."),
    ("Another name", "The train to Lyme stops here.", "The train to Whitby stops here."),
    ("A number with a unit", "The river stands at 4.10 m and rises.", "The river stands at 4.35 m and falls."),
    (
        "An update put in front",
        "The stadium is being cleared.",
        "UPDATE: The all-clear was given at eight.\n\nThe stadium is being cleared.",
    ),
    ("Words moved about", "In the morning the mayor thanked the crews.", "The mayor thanked the crews in the morning."),
    ("German", "Die Fähre fährt heute nicht mehr nach Borkum.", "Die Fähre fährt morgen wieder nach Borkum."),
    ("Arabic", "وصلت ٤ شاحنات إلى الميناء صباح اليوم.", "وصلت ٧ شاحنات إلى الميناء مساء اليوم."),
    ("Chinese", "渡轮周四停航，码头关闭。", "渡轮周五停航，码头仍然关闭。"),
    ("Thai", "เรือหยุดวิ่งวันนี้", "เรือหยุดวิ่งพรุ่งนี้"),
)

HEAD = """# Word diffs

How the monitor marks what an edit changed. Every diff is exact: the kept and the ~~struck~~ parts joined are the old text,
the kept and the **added** parts the new one, to the last character. Words and numbers are struck and added whole; scraps
that two changes happen to share are given up; a sentence that was added is marked from its beginning to its end.
Under each pair: the tags and the significance an edit like this is given (see `docs/channels.md`).

This page is written by `python docs/word_diffs.py > docs/word-diffs.md`; a test compares.
"""


def marked(diff: tuple[DiffOp, ...]) -> str:
    """Return a diff in Markdown, paragraph breaks as a pilcrow."""
    marks = {"=": "", "-": "~~", "+": "**"}
    return "".join(_wrapped(text.replace("\n\n", " ¶ "), marks[op]) for op, text in diff)


def _wrapped(text: str, mark: str) -> str:
    """Return text with its marks inside its outer white space, as Markdown wants them."""
    inner = text.strip()
    if not mark or not inner:
        return text
    start = text.index(inner)
    return f"{text[:start]}{mark}{inner}{mark}{text[start + len(inner) :]}"


def page() -> str:
    """Return the page."""
    parts = [HEAD]
    for number, (name, old, new) in enumerate(PAIRS, 1):
        before, after = (Side("", canonical_content(text, ())) for text in (old, new))
        found = judge(before, after, frozenset(), retimed=False)
        tags = ", ".join(found.tags)
        parts.append(f"## {number}. {name}\n\n{marked(word_diff(old, new))}\n\n*{found.significance}: {tags}*\n")
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(page())
