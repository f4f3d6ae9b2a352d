"""Word diffs over edits that real publishers made."""

import json
import tarfile
from pathlib import Path

import pytest

from monitor.text.diff import word_diff

ARCHIVE = Path(__file__).parents[3] / "shared" / "data" / "histories-real" / "histories-real.tar.xz"


def edits():
    with tarfile.open(ARCHIVE) as archive:
        for member in archive:
            if member.name.endswith("truth.json"):
                truth = json.load(archive.extractfile(member))
                for poll in truth["snapshots"]:
                    for edit in poll.get("edited", []):
                        for field in edit.get("old", {}):
                            yield edit["old"][field] or "", edit.get("new", {}).get(field) or ""


@pytest.mark.skipif(not ARCHIVE.exists(), reason="the real histories are not shipped: their texts are the publishers'")
def test_patching_old_with_the_diff_gives_new_for_every_real_edit():
    pairs = list(edits())
    assert len(pairs) > 300
    for old, new in pairs:
        diff = word_diff(old, new)
        assert "".join(text for kind, text in diff if kind in "=-") == old
        assert "".join(text for kind, text in diff if kind in "=+") == new
