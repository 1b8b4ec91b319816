"""Rows that say that a data set was made."""

from __future__ import annotations

from pathlib import Path

from archiver.clock import SYSTEM
from archiver.ledger import exports
from archiver.ledger.reader import read_rows, verify_folder
from archiver.model import Actor


def test_each_is_a_job_of_its_own_with_a_name_on_it(logs: Path) -> None:
    logs.mkdir(exist_ok=True)
    for number in range(2):
        exports.write(logs, SYSTEM, Actor(name="Ann"), {"rows": number})
    found = exports.segments(logs)
    bodies = [row.body for path in found for row in read_rows(path) if row.body and row.body["event"] == "dataset"]
    assert [body["rows"] for body in bodies if body] == [0, 1]
    assert all(body["job"].startswith("data") and body["actor"]["name"] == "Ann" for body in bodies if body)
    assert verify_folder(logs).ok
