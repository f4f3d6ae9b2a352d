"""An encoded body is undone within its limits, and known to be whole or not."""

import gzip
import tracemalloc
import zlib

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from monitor.fetch.decoding import Decoded, Undecodable, decode
from monitor.fetch.request import FetchLimits
from tests.fetch.hostile import gzip_bomb

LIMITS = FetchLimits()


def raw_deflate(body):
    compress = zlib.compressobj(6, zlib.DEFLATED, -15)
    return compress.compress(body) + compress.flush()


def zstd_with_checksum(body):
    return zstandard.ZstdCompressor(write_checksum=True).compress(body)


ENCODERS = [
    ("gzip", gzip.compress),
    ("deflate", zlib.compress),
    ("deflate", raw_deflate),
    ("br", brotli.compress),
    ("zstd", zstandard.compress),
    ("zstd", zstd_with_checksum),
]


@pytest.mark.parametrize(("name", "compress"), ENCODERS)
@given(body=st.binary(max_size=2000))
def test_what_was_encoded_comes_back_whole(name, compress, body):
    assert decode(compress(body), name, LIMITS) == Decoded(body)


@pytest.mark.parametrize(("name", "compress"), ENCODERS)
@given(body=st.binary(min_size=1, max_size=500), data=st.data())
def test_a_cut_body_is_never_taken_for_whole(name, compress, body, data):
    wire = compress(body)
    cut = data.draw(st.integers(1, len(wire) - 1))
    found = decode(wire[:cut], name, LIMITS)
    assert isinstance(found, Undecodable) or not found.complete
    if isinstance(found, Decoded):
        assert body.startswith(found.body)


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd", "identity", "", "sdch", "gzip,gzip", ",", "GZIP "])
@given(wire=st.binary(max_size=300))
def test_no_bytes_raise(name, wire):
    assert isinstance(decode(wire, name, LIMITS), Decoded | Undecodable)


def test_members_frames_and_padding_are_one_body():
    assert decode(gzip.compress(b"a") + gzip.compress(b"b"), "gzip", LIMITS) == Decoded(b"ab")
    assert decode(gzip.compress(b"a") + bytes(100), "gzip", LIMITS) == Decoded(b"a")
    assert decode(zstandard.compress(b"a") + zstandard.compress(b"b"), "zstd", LIMITS) == Decoded(b"ab")
    assert decode(gzip.compress(b"a") + gzip.compress(b"b" * 99)[:-5], "gzip", LIMITS).complete is False


@pytest.mark.parametrize("name", ["", "identity", "Identity, identity"])
def test_no_encoding_is_no_work(name):
    assert decode(b"plain", name, LIMITS) == Decoded(b"plain")


def test_limits_are_on_what_comes_out():
    small = FetchLimits(decoded_bytes=1000, ratio_from=100, ratio=10)
    assert decode(gzip.compress(bytes(range(250)) * 4), "gzip", small) == Decoded(bytes(range(250)) * 4)
    assert decode(bytes(1001), "", small).code == "too_large"
    assert "inflates" in decode(gzip.compress(bytes(900)), "gzip", small).reason


def test_a_bomb_costs_no_more_than_the_limit():
    bomb = gzip_bomb(1 << 24) * 128  # members that inflate to 2 GiB
    tracemalloc.start()
    found = decode(bomb, "gzip", LIMITS)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.code == "too_large"
    assert peak < 20 << 20
