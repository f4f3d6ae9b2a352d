"""Documents and the data the room is tried on."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.model import Document, ReadOptions
from monitor.sources import read

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


@pytest.fixture
def document():
    """Make a document of text or bytes fetched at noon of 10 March 2026."""

    def make(body, **known):
        return Document(body if isinstance(body, bytes) else body.encode(), known.pop("seen_at", NOON), **known)

    return make


@pytest.fixture
def reading(document):
    """Read text or bytes; keywords of ReadOptions go there, others to the document."""

    def make(body, *, memory=None, **known):
        options = {key: known.pop(key) for key in tuple(known) if key in ReadOptions.__dataclass_fields__}
        return read(document(body, **known), ReadOptions(**options), memory)

    return make


@pytest.fixture
def entries(reading):
    """Read text or bytes and return the entries of the snapshot."""

    def make(body, **known):
        found = reading(body, **known)
        assert found.snapshot is not None, found.verdict
        return found.snapshot.entries

    return make


@pytest.fixture(scope="session")
def data():
    """Return the folder of real pages and feeds, which publishers own and the project does not hold."""
    folder = Path(__file__).parents[2].parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"the publishers' data is not at {folder}")
    return folder
