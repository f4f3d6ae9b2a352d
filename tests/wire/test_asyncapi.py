"""docs/asyncapi.yaml says what the code does: the names, the schemas, and messages that are valid by them."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator, FormatChecker

from monitor.bus.status import HEARTBEAT, status_event
from monitor.model import Alert, AlertKind, Change, ChangeType, Delta, Entry, Match, SourceRef
from monitor.wire import Names, decode_delta, encode_alert, encode_delta

DOCS = Path(__file__).parents[2] / "docs"
PAGE = yaml.safe_load((DOCS / "asyncapi.yaml").read_text("utf-8"))
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DELTA = Delta(SourceRef("aleppo"), 1, 1, NOON, Change(ChangeType.NEW, "e1", Entry(0, "Halted."), 1))
ALERT = Alert(
    "a1", "halted", "critical", AlertKind.NEW, DELTA, (Match("text", 0, 6, "Halted", "halted"),), raised_at=NOON
)
REAL = {
    "delta": encode_delta(DELTA),
    "alert": encode_alert(ALERT),
    "heartbeat": status_event(HEARTBEAT, {"interval": 5.0, "run": "r", "published": 3}, now=NOON, event_id="r-1"),
    "changed": status_event("monitor.status.changed", {"source": "aleppo"}, now=NOON, event_id="x"),
}


def resolved(reference):
    """What a local reference or a file beside the page stands for."""
    if not reference.startswith("#/"):
        return json.loads((DOCS / reference).read_text("utf-8"))
    at = PAGE
    for part in reference[2:].split("/"):
        at = at[part]
    return at


def references(value):
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def schema_of(message):
    payload = PAGE["components"]["messages"][message]["payload"]
    return resolved(payload.get("schema", payload)["$ref"])


def test_every_reference_leads_somewhere():
    assert all(resolved(reference) for reference in references(PAGE))


def test_the_channels_are_the_names_of_the_code():
    names = Names()
    addresses = {channel["address"] for channel in PAGE["channels"].values()}
    source = PAGE["channels"]["sourceDeltas"]["parameters"]["source"]["examples"][0]
    assert {address.replace("{source}", source) for address in addresses} == {
        names.deltas_of("aleppo"),
        names.deltas,
        names.alerts,
        names.status,
    }


def test_every_channel_has_an_operation():
    covered = {operation["channel"]["$ref"] for operation in PAGE["operations"].values()}
    assert covered == {f"#/channels/{name}" for name in PAGE["channels"]}


@pytest.mark.parametrize("message", sorted(REAL))
def test_a_real_message_is_valid(message):
    Draft202012Validator(schema_of(message), format_checker=FormatChecker()).validate(json.loads(REAL[message]))


@pytest.mark.parametrize("message", sorted(REAL))
def test_another_kind_of_message_is_not(message):
    others = [json.loads(other) for name, other in REAL.items() if name != message]
    assert not any(Draft202012Validator(schema_of(message)).is_valid(other) for other in others)


def test_the_example_is_a_message_of_the_code():
    example = PAGE["components"]["messages"]["delta"]["examples"][0]["payload"]
    assert json.loads(encode_delta(decode_delta(json.dumps(example)))) == example | {
        "data": example["data"] | {"late_by": pytest.approx(decode_delta(json.dumps(example)).late_by)}
    }
