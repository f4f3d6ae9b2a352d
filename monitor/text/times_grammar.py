"""Reads a label that is a time as a whole into the claim it makes: clock, date, "ago", zone, in any mix and order.

Rule: a label is a time only if every piece of it plays a part; one word that has none makes it text. That, not a list of
formats, is what tells "12:07 GMT, Thursday" from "At 6 a.m. local time on Thursday the first buses left".
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache

from monitor.text import times_words as words
from monitor.text.characters import ascii_digits, normal, visible
from monitor.text.times_claim import TimeClaim
from monitor.text.times_pieces import Piece, pieces_of

_LAID_OUT = 1000  # characters with the white space of the page's source in it
_NOTHING = TimeClaim("", "date")
MAX_LABEL = 90  # characters; the longest date and time with weekday, zone and "last updated" is about 70


def read_claim(label: str) -> TimeClaim | None:
    """Return what `label` claims if the whole of it is a time or a date, else None."""
    text = " ".join(label.split()) if len(label) < _LAID_OUT else ""
    return _read(text) if text and len(text) <= MAX_LABEL else None


@lru_cache(maxsize=8192)  # the labels of a page are read again at every poll
def _read(text: str) -> TimeClaim | None:
    plain = ascii_digits(visible(normal("NFKC", text))).casefold().strip(" :–—-|[]()•·*#")
    if not any(character.isdigit() for character in plain) and len(plain) > 30:
        return None
    pieces = pieces_of(plain)
    if pieces is None:
        return None
    claim = _Reader(pieces).claim(text)
    return claim if claim is not None and _sound(claim) else None


def _sound(claim: TimeClaim) -> bool:
    return (
        (claim.hour is None or claim.hour <= 24)
        and claim.minute < 60
        and (claim.second or 0) < 61
        and (claim.month is None or 1 <= claim.month <= 12)
        and (claim.day is None or 1 <= claim.day <= 31)
        and (claim.year is None or 1970 <= claim.year <= 2199)
        and (claim.month is None) == (claim.day is None)
    )


@dataclass(slots=True)
class _Reader:
    """Gives each piece its part, left to right; `failed` once a piece has none."""

    pieces: list[Piece]
    made: TimeClaim = _NOTHING
    ago: int = 0
    smallest: int = 0  # smallest unit counted back
    half: str | None = None
    failed: bool = False
    shorts: bool = False
    spelled: set[str] = field(default_factory=set)

    def claim(self, text: str) -> TimeClaim | None:
        self.spelled = {piece.value for piece in self.pieces if piece.kind == "word"}
        at = 0
        while at < len(self.pieces) and not self.failed:
            at += self._take(at)
        if self.failed:
            return None
        return self._finished(text)

    def _finished(self, text: str) -> TimeClaim | None:
        made = replace(self.made, text=text)
        if made.hour is not None:
            if made.form == "colon" and "min" in self.spelled:  # the length of a film
                return None
            if made.form == "dot" and self.spelled & words.CLOCK:
                made = replace(made, form="h")
            return self._with_half(made)
        if self.ago:
            spoken = bool(self.spelled & words.AGO)
            if not spoken and not self.shorts:
                return None
            form = "relative" if spoken else "short"
            return replace(made, form=form, ago=self.ago, precision=self.smallest)
        if self.spelled & words.NOW and not made.has_day and made.weekday is None:
            alone = len(self.pieces) == 1 and len(self.pieces[0].value) < 5
            return replace(made, form="short" if alone else "relative", ago=0, precision=60)
        if self.half or not (made.has_day or made.weekday is not None):
            return None
        return replace(made, form="date", precision=86400)

    def _with_half(self, made: TimeClaim) -> TimeClaim | None:
        hour = made.hour or 0
        if self.half is None:
            return made if hour < 24 or made.minute == 0 else None
        if hour > 12:  # "15:47 pm" is written; the half adds nothing
            return replace(made, form="12h")
        return replace(made, form="12h", hour=hour % 12 + (12 if self.half == "pm" else 0))

    def _take(self, at: int) -> int:
        piece = self.pieces[at]
        match piece.kind:
            case "word":
                return self._word(piece.value, at)
            case "number":
                return self._number(piece, at)
            case "offset":
                self._offset(piece)
            case "iso" | "handate" | "numdate":
                self._date(piece)
            case kind:
                self._clock(kind, piece)
        return 1

    def _clock(self, kind: str, piece: Piece) -> None:
        if self.made.hour is not None:
            self.failed = True
            return
        hour, minute, second = (*piece.numbers, 0, 0)[:3]
        if kind == "han" and piece.value.endswith("半"):
            minute = 30
        exact = kind == "colon" and len(piece.numbers) > 2
        self.made = replace(
            self.made,
            form=kind,
            hour=hour,
            minute=minute,
            second=second if exact else None,
            precision=0 if exact else 60,
        )

    def _date(self, piece: Piece) -> None:
        if self.made.month is not None:
            self.failed = True
            return
        numbers = piece.numbers
        if piece.kind == "iso":
            year, month, day = numbers[:3]
            self.made = replace(self.made, year=year, month=month, day=day)
            if len(numbers) > 3:
                exact = len(numbers) > 5
                self.made = replace(
                    self.made,
                    form="iso",
                    hour=numbers[3],
                    minute=numbers[4],
                    second=numbers[5] if exact else None,
                    precision=0 if exact else 60,
                )
        elif piece.kind == "handate":
            year, month, day = numbers if len(numbers) == 3 else (None, *numbers)  # type: ignore[assignment]
            self.made = replace(self.made, year=year, month=month, day=day)
        else:
            self._numeric_date(numbers, slashed="/" in piece.value)

    def _numeric_date(self, numbers: tuple[int, ...], *, slashed: bool) -> None:
        first, second, third = numbers
        if first > 31:
            year, month, day = first, second, third
        else:
            year = third if third > 99 else 2000 + third
            # 12/15/2016 can only be month first; 05/06/2016 is day first in most of the world
            day, month = (second, first) if slashed and second > 12 else (first, second)
        self.made = replace(
            self.made, year=year, month=month, day=day, slashed=slashed and first <= 12 and second <= 12
        )

    def _offset(self, piece: Piece) -> None:
        digits = "".join(filter(str.isdigit, piece.value))
        east = (
            int(digits[:2]) * 60 + int(digits[2:] or 0) if len(digits) != 3 else int(digits[0]) * 60 + int(digits[1:])
        )
        if east > 15 * 60 or self.made.zone not in (None, 0):
            self.failed = True
            return
        self.made = replace(self.made, zone=-east if piece.value[0] in "-−" else east)

    def _number(self, piece: Piece, at: int) -> int:
        number, digits = piece.numbers[0], len(piece.value)
        following = (
            self.pieces[at + 1].value if at + 1 < len(self.pieces) and self.pieces[at + 1].kind == "word" else ""
        )
        made = self.made
        if (following in words.AM or following in words.PM) and made.hour is None and not self._is_month_next(at + 1):
            self.made = replace(made, form="12h", hour=number, precision=3600 if digits < 3 else 60)
            if digits > 2:
                self.made = replace(self.made, hour=number // 100, minute=number % 100)
            return 1
        if (
            digits == 4
            and made.hour is None
            and (following in {"hrs", "hours", "uhr"} or following in words.ZONES)
            and number < 2400
        ):
            self.made = replace(made, form="compact", hour=number // 100, minute=number % 100)
        elif following in words.UNITS and not self._is_day_of_month(following, at):
            return self._counted(number, following, glued=digits < 4)
        elif following in {"uhr", "o'clock", "hrs"} and made.hour is None:
            self.made = replace(made, form="h", hour=number, precision=3600)
        elif digits == 4 and made.year is None:
            self.made = replace(made, year=number)
        elif made.day is None and digits < 3:
            self.made = replace(made, day=number)
        elif made.year is None and digits == 2 and made.month is not None:
            self.made = replace(made, year=2000 + number)
        else:
            self.failed = True
        return 1

    def _is_month_next(self, at: int) -> bool:
        """Whether a month follows: then "am" before it is the preposition and the number its day."""
        return any(piece.kind == "word" and piece.value in words.MONTHS for piece in self.pieces[at + 1 : at + 2])

    def _is_day_of_month(self, unit: str, at: int) -> bool:
        """Whether the number counts days of a month ("15 d' …", "15 de mayo") rather than back in time."""
        return (
            unit in words.FILLERS
            and not self.spelled & words.AGO
            and any(piece.kind == "word" and piece.value in words.MONTHS for piece in self.pieces[at + 1 : at + 4])
        )

    def _counted(self, number: int, unit: str, *, glued: bool) -> int:
        seconds = words.UNITS[unit]
        self.ago += number * seconds
        self.smallest = min(self.smallest or seconds, seconds)
        self.shorts = self.shorts or (
            glued and len(unit) <= 4 and unit.isascii() and seconds >= 60 and unit not in words.MONTHS
        )
        return 2

    def _word(self, word: str, at: int) -> int:
        made = self.made
        after_clock = made.hour is not None and at > 0
        if after_clock and self.half is None and (word in words.AM or word in words.PM):
            self.half = "pm" if word in words.PM else "am"
        elif word in words.AGO and self.ago:
            pass  # before the months: "ago" is August in Italian and Spanish
        elif word in words.MONTHS and made.month is None:
            self.made = replace(made, month=words.MONTHS[word])
        elif word in words.WEEKDAYS and made.weekday is None:
            self.made = replace(made, weekday=words.WEEKDAYS[word])
        elif word in words.TODAY or word in words.YESTERDAY:
            self.made = replace(made, days_back=int(word in words.YESTERDAY))
        elif word in words.DUALS:
            self.ago += words.DUALS[word]
            self.smallest = words.DUALS[word] // 2
        elif word in words.NUMBERS and self._unit_next(at):
            return self._counted(words.NUMBERS[word], self.pieces[at + 1].value, glued=False)
        elif word in words.UNITS and self._implied_one(word):
            self.ago += words.UNITS[word]
            self.smallest = words.UNITS[word]
        elif word in words.ZONES and made.zone is None and made.hour is not None:
            self.made = replace(made, zone=words.ZONES[word])
        elif self.half is None and word in words.AM | words.PM and not word.isascii():
            self.half = "pm" if word in words.PM else "am"  # 下午3:47, 오후 3:47: the half stands first
        elif (
            word not in words.FILLERS and word not in words.AGO and word not in words.NOW and word not in words.WEEKDAYS
        ):
            self.failed = True
        return 1

    def _unit_next(self, at: int) -> bool:
        return at + 1 < len(self.pieces) and self.pieces[at + 1].value in words.UNITS and bool(self.spelled & words.AGO)

    def _implied_one(self, word: str) -> bool:
        """Arabic, Russian and Hebrew leave "one" out: "منذ ساعة", "час назад", "לפני שעה"."""
        return not word.isascii() and bool(self.spelled & words.AGO) and not self.ago
