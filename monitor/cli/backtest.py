"""`monitor backtest`: what a rule would have fired on in the stored history, with counts a day."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli.explain import highlighted, match_data, meant_rule
from monitor.cli.moments import moment
from monitor.cli.options import config_option, json_option
from monitor.cli.output import colours, complain, write_json, write_line
from monitor.cli.stored import must_know
from monitor.text.characters import printable

if TYPE_CHECKING:
    from monitor.model import Judgement
    from monitor.rules import Ruleset
    from monitor.settings import Settings
    from monitor.store import StoredRevision

_NAME = "rule"
_WIDTH = 160


@dataclass(frozen=True, slots=True)
class Hit:
    """A recorded change that the rule would have spoken of."""

    stored: StoredRevision
    judgement: Judgement


@click.command(
    epilog="Examples:\n\n\b\n  monitor backtest 'ceasefire violation'\n  monitor backtest truce-broken --since 7d --json"
)
@click.argument("rule")
@click.option(
    "--since", default="48h", show_default=True, metavar="TIME", help="How far back: an age as 48h, or an ISO time."
)
@click.option("--source", default=None, help="Only this source.")
@config_option()
@json_option()
def command(*, rule: str, since: str, source: str | None, config: Path | None, as_json: bool) -> None:
    """Show what RULE would have fired on in the stored history.

    RULE is a rule's text or the name of one in the settings. Judged as live: on the text before and after each change.
    """
    from monitor.cli.context import open_context
    from monitor.cli.reading import now
    from monitor.rules import compile_rules

    context = open_context(config)
    earliest = moment(since, now())
    ruleset = compile_rules({_NAME: meant_rule(rule, context.settings)})
    hits, judged = asyncio.run(_backtest(context.store_url(), context.settings, ruleset, earliest, source))
    for hit in hits:
        if as_json:
            write_json(_as_data(hit))
        else:
            write_line(_line(hit, colour=colours()))
    _sum_up(hits, judged, as_json=as_json)


async def _backtest(
    place: str, settings: Settings, ruleset: Ruleset, since: datetime | None, source: str | None
) -> tuple[list[Hit], int]:
    from monitor.store import Store

    hits: list[Hit] = []
    judged = 0
    async with await Store.open(place, read_only=True) as store:
        if source is not None:
            await must_know(store, source)
        for source_id in [source] if source else sorted(await store.poll_states()):
            chosen = settings.sources.get(source_id)
            language = chosen.language if chosen is not None and chosen.language else "en"
            revisions = [one for one in await store.revisions(source_id, None, since) if one.sequence is not None]
            judged += len(revisions)
            hits += _hits(revisions, ruleset, language)
    return sorted(hits, key=lambda hit: hit.stored.seen_at), judged


def _hits(revisions: Iterable[StoredRevision], ruleset: Ruleset, language: str) -> list[Hit]:
    from monitor.daemon.judging import Watch, texts_to_judge
    from monitor.model import SourceRef

    hits = []
    for stored in revisions:
        if stored.bodiless:
            continue
        before, after = texts_to_judge(stored.change, Watch(ref=SourceRef(stored.source_id), language=language))
        hits += [Hit(stored, one) for one in ruleset.judge(before, after) if one.transition == "fired"]
    return hits


def _line(hit: Hit, *, colour: bool) -> str:
    stored, judgement = hit.stored, hit.judgement
    field = judgement.matches[0].field if judgement.matches else "text"
    shown = stored.entry.title if field == "title" and stored.entry.title else stored.entry.text
    found = [match for match in judgement.matches if match.field == field and match.end <= _WIDTH]
    when = f"{stored.seen_at.astimezone():%Y-%m-%d %H:%M:%S}"
    text = highlighted(shown[:_WIDTH], found, colour=colour) + ("…" if len(shown) > _WIDTH else "")
    return f"{when}  {printable(stored.source_id)}  {stored.type.value:8}  {text}"


def _as_data(hit: Hit) -> dict[str, Any]:
    from monitor.wire import rfc3339

    stored = hit.stored
    return {
        "type": "hit",
        "source": stored.source_id,
        "entry_id": stored.change.entry_id,
        "revision": stored.change.revision,
        "change": stored.type.value,
        "seen_at": rfc3339(stored.seen_at),
        "delta": f"{stored.source_id}/{stored.epoch}-{stored.sequence}",
        "title": stored.entry.title,
        "matches": [match_data(match) for match in hit.judgement.matches],
    }


def _sum_up(hits: Sequence[Hit], judged: int, *, as_json: bool) -> None:
    """The counts a day: what living with the rule would be like."""
    days = Counter(f"{hit.stored.seen_at.astimezone():%Y-%m-%d}" for hit in hits)
    if as_json:
        write_json({"type": "summary", "fired": len(hits), "changes": judged, "days": dict(sorted(days.items()))})
        return
    for day, count in sorted(days.items()):
        write_line(f"{day}  {count}")
    complain(f"would have fired {len(hits)} time{'' if len(hits) == 1 else 's'} on {judged} changes")
