"""Headers are a stranger's words: understood where they make sense, harmless where they do not."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.fetch.headers import cache_hints, http_date, retry_after, seconds, validator, wall

NOW = datetime(2016, 12, 15, 13, 47, tzinfo=UTC)
DATE = "Thu, 15 Dec 2016 13:47:00 GMT"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("120", 120),
        (" 120 ", 120),
        ("Thu, 15 Dec 2016 13:49:00 GMT", 120),
        ("Thursday, 15-Dec-16 13:49:00 GMT", 120),
        ("Thu Dec 15 13:49:00 2016", 120),
        ("Thu, 15 Dec 2016 12:00:00 GMT", 0),
        ("999999999999", 3600),
        ("Fri, 15 Dec 2096 13:49:00 GMT", 3600),
        ("-5", None),
        ("soon", None),
        ("1.5", None),
        ("9" * 5000, None),
        ("", None),
        (None, None),
        ("Thu, 99 Dec 2016 13:49:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_clamped_to_an_hour(text, expected):
    assert retry_after(text, NOW) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Cache-Control": "public, max-age=60"}, 60),
        ({"Cache-Control": "max-age=60, s-maxage=10"}, 10),
        ({"Cache-Control": 'max-age="60"'}, 60),
        ({"Cache-Control": "max-age=60", "Age": "45"}, 15),
        ({"Cache-Control": "max-age=60", "Age": "600"}, 0),
        ({"Cache-Control": "max-age=999999999"}, 86_400),
        ({"Expires": "Thu, 15 Dec 2016 13:48:00 GMT", "Date": DATE}, 60),
        ({"Expires": "0", "Date": DATE}, None),
        ({"Cache-Control": "no-store", "Expires": "Thu, 15 Dec 2016 13:48:00 GMT", "Date": DATE}, None),
        ({"Cache-Control": "no-cache, max-age=0"}, 0),
        ({"Cache-Control": "stale-while-revalidate=600"}, None),
        ({}, None),
    ],
)
def test_freshness_follows_the_order_of_the_rfc(headers, expected):
    assert cache_hints(headers, NOW).fresh_for == expected


@given(st.text(max_size=100))
def test_no_header_raises(text):
    http_date(text)
    seconds(text)
    retry_after(text, NOW)
    validator(text)
    cache_hints({"Cache-Control": text, "Expires": text, "Date": text, "Age": text, "Retry-After": text}, NOW)
    wall(403, {"cf-mitigated": text, "server": text})


@pytest.mark.parametrize("etag", ['"a"', 'W/"a"', "unquoted", '""'])
def test_a_validator_is_kept_as_it_is(etag):
    assert validator(etag) == etag


@pytest.mark.parametrize("etag", ["", "a\r\nX: y", "a\0", "é", "x" * 2000, None])
def test_a_validator_that_would_break_a_request_is_not_kept(etag):
    assert validator(etag) is None


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (403, {"cf-mitigated": "challenge"}, b""),
        (200, {"cf-mitigated": "challenge"}, b""),
        (202, {"x-amzn-waf-action": "challenge"}, b""),
        (403, {"x-datadome": "protected"}, b""),
        (503, {}, b"<script>window._cf_chl_opt={}</script>"),
    ],
)
def test_a_wall_is_recognised(status, headers, body):
    assert wall(status, headers, body)


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (200, {"server": "cloudflare"}, b"_cf_chl_opt"),
        (403, {"server": "nginx"}, b"forbidden"),
        (200, {"x-datadome": "x"}, b""),
    ],
)
def test_a_page_that_only_mentions_a_wall_is_none(status, headers, body):
    assert wall(status, headers, body) is None
