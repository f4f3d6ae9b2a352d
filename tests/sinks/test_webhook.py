"""A webhook's receiver can verify every message with the standard's own library and read the contract's shapes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib.resources import files

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from standardwebhooks import Webhook as Verifier

from monitor.sinks import Delivered, Target
from monitor.sinks.webhook import Webhook, signing_key

OLD = "whsec_" + "b2xkLXNlY3JldC1vbGQtc2VjcmV0LW9sZC1zZWNy"


@pytest.fixture
async def send(http, letter):
    async def deliver(notice, *secrets, **headers):
        sink = Webhook(Target("w", f"{http.url}/hook", secrets=secrets, headers=headers, allow_private=True))
        outcome = await sink.send(letter(sink, notice, sent_at=datetime.now(UTC)))
        await sink.close()
        assert isinstance(outcome, Delivered)
        return http.heard[-1]

    return deliver


async def test_the_standards_library_verifies_what_we_sign(send, newsroom, secret):
    for notice in newsroom.forms("Сирия 停火 🔴").values():
        heard = await send(notice, secret)
        assert Verifier(secret).verify(heard.body, {k.lower(): v for k, v in heard.headers.items()})


async def test_while_secrets_rotate_both_verify(send, newsroom, secret):
    heard = await send(newsroom.notice(), secret, OLD)
    headers = {name.lower(): value for name, value in heard.headers.items()}
    for one in (secret, OLD):
        assert Verifier(one).verify(heard.body, headers)


async def test_without_a_secret_nothing_is_signed(send, newsroom):
    heard = await send(newsroom.notice())
    assert "webhook-signature" not in heard.headers
    assert heard.headers["webhook-id"]


async def test_headers_of_the_settings_go_along_and_cannot_replace_ours(send, newsroom):
    heard = await send(newsroom.notice(), **{"X-Team": "desk", "webhook-id": "forged"})
    assert heard.headers["X-Team"] == "desk"
    assert heard.headers["webhook-id"] != "forged"


@pytest.mark.parametrize(
    ("secret", "key"),
    [
        ("whsec_c2VjcmV0", b"secret"),
        ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", None),
        ("just some words", b"just some words"),
        ("abcd", b"abcd"),
    ],
)
def test_a_secret_may_be_written_as_the_standard_does_or_as_any_text(secret, key):
    import base64

    assert signing_key(secret) == (base64.b64decode(secret) if key is None else key)


def test_a_secret_that_says_it_is_base64_and_is_not_is_refused():
    with pytest.raises(ValueError, match="base64"):
        signing_key("whsec_!!!")


async def test_one_alert_is_the_event_of_the_contract(send, newsroom):
    heard = await send(newsroom.notice())
    event = heard.json
    assert heard.headers["Content-Type"].startswith("application/cloudevents+json")
    assert (event["specversion"], event["type"], event["source"]) == (
        "1.0",
        "monitor.alert.fired",
        "/rules/evacuation-halted",
    )
    assert set(event["data"]) == {"id", "rule", "severity", "kind", "delta", "matches", "note"}
    assert event["data"]["matches"] == [
        {"field": "text", "start": 21, "end": 30, "text": "suspended", "term": "suspended"}
    ]


async def test_a_correction_has_the_alerts_id_and_an_event_id_of_its_own(send, newsroom):
    fired = newsroom.alert()
    taken_back = newsroom.alert("resumed", kind="retracted", old="suspended", corrects=fired.id)
    first = (await send(newsroom.notice(fired))).json
    second = (await send(newsroom.notice(taken_back))).json
    assert second["type"] == "monitor.alert.corrected"
    assert second["data"]["id"] == first["data"]["id"] == second["data"]["corrects"]
    assert second["id"] != first["id"]


async def test_a_digest_holds_its_alerts_and_names_what_does_not_fit(send, newsroom):
    many = [newsroom.alert("suspended " * 900) for _ in range(60)]
    event = (await send(newsroom.notice(*many, full_items=20))).json
    assert event["type"] == "monitor.alert.digest"
    assert event["data"]["count"] == len(event["data"]["alerts"]) == 60
    assert {one["id"] for one in event["data"]["alerts"]} == {alert.id for alert in many}
    assert len(json.dumps(event)) <= 65_536


async def test_every_alert_is_valid_by_the_schema_it_names(send, newsroom):
    many = [newsroom.alert("suspended " * 900) for _ in range(60)]
    for notice in (*newsroom.forms().values(), newsroom.notice(*many, full_items=20, late=True)):
        event = (await send(notice)).json
        if event["type"] == "monitor.notice":
            assert "dataschema" not in event
            continue
        name = event["dataschema"].rsplit(":", 1)[1]
        schema = json.loads(files("monitor.wire").joinpath("schemas", name).read_text("utf-8"))
        Draft202012Validator(schema, format_checker=FormatChecker()).validate(event)


async def test_an_escalated_alert_says_so(send, newsroom):
    heard = await send(newsroom.notice(severity="critical"))
    assert heard.json["data"]["severity"] == "critical"


async def test_words_of_the_monitors_own_are_a_notice(send, newsroom):
    event = (await send(newsroom.forms()["words"])).json
    assert (event["type"], event["source"]) == ("monitor.notice", "/monitor")
    assert event["data"]["text"] == "it answered 410"
