"""What a label on a page says of its time, before it is known on which day and against which clock."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TimeClaim:
    """What a label says, before it is known on which day and against which clock."""

    text: str  # as written
    form: str  # iso, colon, 12h, dot, h, compact, han, relative, short, date: how it is written
    hour: int | None = None
    minute: int = 0
    second: int | None = None
    year: int | None = None
    month: int | None = None
    day: int | None = None
    weekday: int | None = None  # 0 Monday
    days_back: int | None = None  # 0 today, 1 yesterday
    zone: int | str | None = None  # minutes east of UTC, or an IANA name
    ago: int | None = None  # seconds before the fetch
    precision: int = 60
    slashed: bool = False  # "3/10/2026", read day first as most of the world writes it, may be meant month first

    @property
    def is_date(self) -> bool:
        """A day without a clock: a header that dates what stands below it."""
        return self.hour is None and self.ago is None

    @property
    def has_day(self) -> bool:
        return self.month is not None or self.days_back is not None

    @property
    def weak(self) -> bool:
        """Other things are written this way too: a price, a score, a distance."""
        return self.form in {"dot", "short"} and self.zone is None and not self.has_day
