"""What a source's owner may decide about reconciling; every number is a count of polls or entries, never a time of day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# auto: the publisher's ids are believed while they prove stable; ignore: texts alone; trust: each id is an entry
IdPolicy = Literal["auto", "ignore", "trust"]


@dataclass(frozen=True, slots=True)
class ReconcilePolicy:
    """How sure to be before something is told."""

    ids: IdPolicy = "auto"
    whole: bool | None = None  # True: the page is the whole blog; None: as the snapshot says
    confirm_removed: int = 2  # polls an entry must be absent from
    confirm_mass: int = 3  # equal looks at a page that lost more than a third of its entries
    max_holds: int = 3  # polls a page of old wordings only is waited for
    flood_share: float = 0.8  # edited share of the known entries that is a template change, not news
    max_gone: int = 3000  # entries remembered after they left
    furniture: tuple[str, ...] = ()  # paragraphs of the site's own that are never content
