"""Deltas and alerts on the wire: CloudEvents by the book, valid by our schemas, the same value back."""

import json
import string
from datetime import UTC, datetime, timedelta, timezone
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from monitor.model import (
    Alert,
    AlertKind,
    Change,
    ChangeType,
    Delta,
    Entry,
    FieldChange,
    Match,
    Revision,
    Significance,
    SourceRef,
    Stamp,
)
from monitor.wire import (
    ALERT_SCHEMA,
    DELTA_SCHEMA,
    MAX_MESSAGE_BYTES,
    Names,
    decode_alert,
    decode_delta,
    encode_alert,
    encode_delta,
)

SCHEMAS = {
    name: json.loads(files("monitor.wire").joinpath("schemas", f"{name}.v1.json").read_text("utf-8"))
    for name in ("delta", "alert")
}


def closed(schema):
    """The schema as a writer must keep it: no field that it does not name."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    shut = {key: closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) or schema.get("$ref") == "#/$defs/change":
        shut["unevaluatedProperties"] = False
    return shut


def validator(name):
    shut = closed(SCHEMAS[name])
    shut["$defs"]["change"].pop("unevaluatedProperties")  # an alert adds the delta's id and type to it
    return Draft202012Validator(shut, format_checker=FormatChecker())


VALIDATE = {name: validator(name).validate for name in SCHEMAS}

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
names = st.text(string.ascii_lowercase + string.digits + "-", min_size=1, max_size=20)
zones = st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45)), timezone(timedelta(hours=-3))])
instants = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)).map(
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
)
aware = st.builds(lambda moment, zone: moment.replace(tzinfo=zone), instants, zones)
maybe = lambda strategy: st.none() | strategy  # noqa: E731

entries = st.builds(
    Entry,
    position=st.integers(0, 5000),
    text=texts,
    title=maybe(texts),
    native_id=maybe(texts),
    url=maybe(texts),
    published=maybe(st.builds(Stamp, at=aware, text=maybe(texts))),
    updated_at=maybe(aware),
    author=maybe(texts),
    tags=st.lists(texts, max_size=3).map(tuple),
    pinned=st.booleans(),
)
diffs = st.lists(st.tuples(st.sampled_from("=-+"), texts), max_size=4).map(tuple)
changes = st.builds(
    Change,
    type=st.sampled_from([kind for kind in ChangeType if kind is not ChangeType.REMOVED]),
    entry_id=names,
    entry=entries,
    revision=st.integers(1, 99),
    previous=maybe(
        st.builds(Revision, number=st.integers(1, 98), title=maybe(texts), text=texts, published_at=maybe(aware))
    ),
    changes=st.lists(
        st.builds(FieldChange, field=st.sampled_from(["title", "text", "tags"]), diff=diffs), max_size=3
    ).map(tuple),
    significance=maybe(st.sampled_from(Significance)),
    tags=st.lists(names, max_size=3).map(tuple),
    confidence=st.integers(0, 10_000).map(lambda part: part / 10_000),
    note=maybe(texts.filter(bool)),
)
deltas = st.builds(
    Delta,
    source=st.builds(SourceRef, id=names, title=maybe(texts), url=maybe(texts)),
    epoch=st.integers(1, 9),
    sequence=st.integers(1, 2**53),
    seen_at=st.builds(lambda moment: moment.replace(tzinfo=UTC), instants),
    change=changes,
)
alerts = st.builds(
    Alert,
    id=names,
    rule=names,
    severity=st.sampled_from(["info", "warning", "critical"]),
    kind=st.sampled_from(AlertKind),
    delta=deltas,
    matches=st.lists(
        st.builds(
            Match,
            field=st.sampled_from(["title", "text"]),
            start=st.integers(0, 9),
            end=st.integers(9, 20),
            text=texts,
            term=texts,
        ),
        max_size=3,
    ).map(tuple),
    note=maybe(texts),
    raised_at=st.builds(lambda moment: moment.replace(tzinfo=UTC), instants),
    corrects=maybe(names),
)


def plain(delta):
    """A delta as the wire can carry it: stamps keep their instant and their text."""
    entry = delta.change.entry
    return (
        delta.source, delta.epoch, delta.sequence, delta.seen_at, delta.change.type, delta.change.entry_id,
        delta.change.revision, delta.change.previous, delta.change.changes, delta.change.significance, delta.change.tags,
        delta.change.confidence, delta.change.note, entry.position, entry.text, entry.title, entry.native_id, entry.url,
        entry.published_at, entry.published_text if entry.published else None, entry.updated_at, entry.author, entry.tags,
        entry.pinned,
    )  # fmt: skip


@given(deltas)
@settings(max_examples=150, deadline=None)
def test_any_delta_is_valid_and_comes_back_the_same(delta):
    message = encode_delta(delta)
    VALIDATE["delta"](json.loads(message))
    assert plain(decode_delta(message)) == plain(delta)


def test_a_delta_that_was_read_and_written_again_is_the_same_bytes():
    entry = Entry(0, "Text.", published=Stamp(at=datetime(2026, 1, 1, tzinfo=UTC), text="0:00"))
    seen_at = datetime(2026, 1, 1, 0, 1, 2, 3999, tzinfo=UTC)  # a clock knows more than a message tells
    message = encode_delta(Delta(SourceRef("a"), 1, 1, seen_at, Change(ChangeType.NEW, "e", entry, 1)))
    assert encode_delta(decode_delta(message)) == message


@given(alerts)
@settings(max_examples=100, deadline=None)
def test_any_alert_is_valid_and_comes_back_the_same(alert):
    message = encode_alert(alert, "corrected" if alert.corrects else "fired")
    VALIDATE["alert"](json.loads(message))
    back = decode_alert(message)
    assert (back.id, back.rule, back.severity, back.kind, back.matches, back.note, back.raised_at, back.corrects) == (
        alert.id, alert.rule, alert.severity, alert.kind, alert.matches, alert.note, alert.raised_at, alert.corrects,
    )  # fmt: skip
    assert plain(back.delta) == plain(alert.delta)


NOON = datetime(2026, 11, 22, 12, 0, 0, 120_000, tzinfo=UTC)


def example(**options):
    entry = Entry(8, options.pop("text", "Halted."), title=options.pop("title", None))
    change = Change(options.pop("type", ChangeType.NEW), "e1", entry, 1, **options)
    return Delta(SourceRef("live"), 1, 42, NOON, change)


def test_the_envelope_is_cloudevents_with_an_id_that_names_its_place_in_the_stream():
    event = json.loads(encode_delta(example()))
    assert {
        key: event[key] for key in ("specversion", "id", "source", "type", "subject", "time", "sequence", "epoch")
    } == {
        "specversion": "1.0",
        "id": "live/1-42",
        "source": "/sources/live",
        "type": "monitor.entry.new",
        "subject": "e1",
        "time": "2026-11-22T12:00:00.120Z",
        "sequence": "00000000000000000042",
        "epoch": "1",
    }


def test_a_removed_entry_has_no_position():
    event = json.loads(encode_delta(example(type=ChangeType.REMOVED)))
    VALIDATE["delta"](event)
    assert event["data"]["entry"]["position"] is None
    assert event["data"]["entry"]["text"] == "Halted."


@pytest.mark.parametrize("text", ["x" * 300_000, "\x01" * 200_000, "перемирие " * 30_000, "\U0001f600" * 100_000])
def test_a_message_never_exceeds_64_kb_and_says_that_it_was_cut(text):
    diff = tuple(("=-+"[n % 3], text[:2000]) for n in range(300))
    delta = example(text=text, title=text[:1024], changes=(FieldChange("text", diff),), tags=("rewrite",) * 500)
    message = encode_delta(delta)
    assert len(message) <= MAX_MESSAGE_BYTES
    event = json.loads(message)
    VALIDATE["delta"](event)
    assert event["data"]["truncated"] is True
    assert event["id"] == "live/1-42"
    assert decode_delta(message).change.entry.text.startswith(text[:100])


def test_a_message_within_the_limit_is_whole():
    text = "x" * 60_000
    assert decode_delta(encode_delta(example(text=text))).change.entry.text == text


def test_a_lone_surrogate_does_not_make_a_message_nobody_can_decode():
    encode_delta(example(text="a\ud800b")).decode("utf-8")


@given(st.binary(max_size=200) | st.text(max_size=200) | st.recursive(st.none() | st.integers() | texts, lambda inner: st.lists(inner) | st.dictionaries(names, inner), max_leaves=8).map(json.dumps))  # fmt: skip
def test_what_is_no_event_is_refused_with_a_value_error(message):
    for decode in (decode_delta, decode_alert):
        with pytest.raises(ValueError):
            decode(message)


@given(deltas, st.data())
@settings(max_examples=100, deadline=None)
def test_an_event_with_anything_wrong_in_it_is_refused_with_a_value_error_or_read(delta, data):
    event = json.loads(encode_delta(delta))
    at = event
    while True:
        key = data.draw(st.sampled_from(sorted(at)))
        if not (isinstance(at[key], dict) and at[key] and data.draw(st.booleans())):
            break
        at = at[key]
    at[key] = data.draw(st.none() | st.integers() | texts | st.lists(st.integers(), max_size=2) | st.just({}))
    try:
        decode_delta(json.dumps(event))
    except ValueError:
        return


def test_deep_nesting_is_refused_with_a_value_error():
    with pytest.raises(ValueError):
        decode_delta("[" * 100_000)


def test_fields_of_later_versions_are_ignored():
    event = json.loads(encode_delta(example()))
    event["later"] = event["data"]["later"] = event["data"]["entry"]["later"] = {"x": 1}
    assert plain(decode_delta(json.dumps(event))) == plain(example())


@pytest.mark.parametrize(("name", "urn"), [("delta", DELTA_SCHEMA), ("alert", ALERT_SCHEMA)])
def test_a_shipped_schema_is_a_schema_under_the_name_that_messages_give(name, urn):
    Draft202012Validator.check_schema(SCHEMAS[name])
    assert SCHEMAS[name]["$id"] == urn
    assert Draft202012Validator(SCHEMAS[name]).is_valid({}) is False


def test_an_alert_holds_a_delta_in_its_own_shape():
    assert SCHEMAS["alert"]["$defs"] == SCHEMAS["delta"]["$defs"]


def test_names_keep_a_source_in_one_cluster_slot():
    names = Names("news")
    assert names.deltas_of("aleppo") == "news:{aleppo}:deltas"
    assert (names.deltas, names.alerts, names.status, names.sources) == (
        "news:deltas",
        "news:alerts",
        "news:status",
        "news:sources",
    )
