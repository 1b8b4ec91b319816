"""`collection.json` says what its page in the documentation says it does."""

import json
import re
from pathlib import Path

from archiver.describe.about import About, collection_json
from tests.describe.samples import about

PAGE = (Path(__file__).resolve().parents[2] / "docs/archivist/collections.md").read_text("utf-8")


def test_collection_json() -> None:
    said = json.loads(collection_json(about()))
    assert said["format"] == "archiver-collection/1"
    assert (said["title"], said["operator"], said["first_run"][:10]) == (
        "News of the town",
        "City archive",
        "2026-11-23",
    )
    assert said["files"] == {"open": {"warcs": 3, "bytes": 99}, "dark": {"warcs": 0, "bytes": 0}}
    assert said["policies"] == [{"name": "strict", "sha256": ["ab" * 32]}]
    assert said["ledger"] == {"segments": 2, "heads": [{"file": "ledger-2.jsonl", "hash": "cd" * 32}]}
    assert said["jobs"] == {"runs": 2, "latest": [{"job": "j1"}]}


def test_of_an_empty_collection() -> None:
    said = json.loads(collection_json(About(name="new")))
    assert (said["title"], said["first_run"], said["last_run"]) == ("new", None, None)


def test_every_key_is_documented() -> None:
    told = set(re.findall(r"^\| `([a-z_]+)`", PAGE, re.MULTILINE))
    assert told == set(json.loads(collection_json(about())))
