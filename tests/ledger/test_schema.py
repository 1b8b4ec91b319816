"""The published schema, the documentation and what is written agree; a segment holds with jq and openssl alone."""

import json
import re
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import orjson
import pytest

from archiver import model
from archiver.engine import rows as engine_rows
from archiver.gateway import record as gateway_record
from archiver.gateway.errand import copy_entry
from archiver.ledger import facts
from archiver.ledger.chain import erase
from archiver.ledger.reader import segment_paths
from archiver.model import LedgerEntry
from archiver.ports import Recorded, RobotsCopy
from tests.ledger.conftest import RECORD, SITE, Open, decision, story

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "archiver/ledger/schema.json").read_text())
DOCUMENT = (ROOT / "docs/auditor/ledger.md").read_text()
EVENTS = sorted(name.removeprefix("event.") for name in SCHEMA["$defs"] if name.startswith("event."))

ROW = jsonschema.Draft202012Validator(SCHEMA)
BODY = jsonschema.Draft202012Validator({**SCHEMA["$defs"]["body"], "$defs": SCHEMA["$defs"]})


def check(line: bytes) -> dict[str, Any]:
    """Validates a row and its body; returns the body."""
    row = orjson.loads(line)
    ROW.validate(row)
    body = orjson.loads(row["body"])
    BODY.validate(body)
    assert isinstance(body, dict)
    return body


def robots_copy() -> LedgerEntry:
    moment = datetime(2026, 11, 23, tzinfo=UTC)
    copy = RobotsCopy(
        url=f"{SITE}/robots.txt",
        body=b"",
        headers=(),
        fetched_at=moment,
        validated_at=moment,
        original=RECORD.format(1),
    )
    ref = model.WarcRecordRef(file="x.warc.gz", offset=300, length=20, record_id=RECORD.format(7), type="conversion")
    return copy_entry(copy, Recorded(refs=(ref,)))


def signals() -> list[LedgerEntry]:
    url, t = f"{SITE}/.well-known/tdmrep.json", "2026-11-23T12:00:00.000Z"
    file = {
        "origin": SITE, "kind": "tdmrep", "state": "found", "remembered": False, "http_status": 200, "asked_at": t,
        "fetched_at": t, "record_id": RECORD.format(8), "says": {"entries": 1}, "error": "",
    }  # fmt: skip
    usage = {"tdm": {"value": "disallow", "sources": ["tdmrep.json tdm-reservation"]}}
    table = {
        "format": "archiver-dataset/1", "usage": "exclude", "art3": False, "rows": 1, "left_out": {"tdmReserved": 2},
        "sha256": "ab" * 32,
    }  # fmt: skip
    return [
        LedgerEntry(event="signals", url=url, data=file),
        LedgerEntry(event="labels", url=f"{SITE}/", data={"capture_id": "c1", "usage": usage, "signals": []}),
        LedgerEntry(event="dataset", data=table),
    ]


def extra() -> list[LedgerEntry]:
    """One row of each event that the story has not."""
    url = f"{SITE}/"
    return [
        LedgerEntry(event="run", data={**facts.run_facts(environ={}), "policy": "strict", "config": {"hash": "x"}}),
        LedgerEntry(event="stored", data={"uri": "file:///x.warc.gz", "sha256": "ab" * 32, "size": 1}),
        LedgerEntry(event="spool", data={"state": "paused", "reason": "spoolLimit", "waiting_bytes": 1}),
        LedgerEntry(event="salvage", data={"file": "x.warc.gz", "kept": 10, "cut": 3, "aside": None}),
        LedgerEntry(event="imported", data={"file": "x.warc.gz", "sha256": "ab" * 32, "policy": "unknown"}),
        LedgerEntry(event="quarantined", data={"file": "x", "sha256": "ab" * 32, "problems": ["at 0: bad"]}),
        LedgerEntry(event="fixity", data={"where": "local", "place": "x", "files": {"archive/x.warc.gz": "ab" * 32}}),
        LedgerEntry(event="hide", url=url, data={"match": "url", "target": url, "because": "asked to", "until": None}),
        LedgerEntry(event="unhide", url=url, data={"match": "url", "target": url}),
        LedgerEntry(event="override", url=url, data={"what": "robots", "because": "allowed by mail", "by": "Ann"}),
        LedgerEntry(
            event="open",
            url=url,
            data={"target": "ab" * 16, "because": "settled", "by": "Ann", "opened": {"a.warc.gz": [0, 7]}},
        ),
        LedgerEntry(event="consent", url=url, data={"outcome": "rejected", "engine": "x"}),
        LedgerEntry(
            event="lane",
            url=url,
            data={"lane": "http", "signs": [{"name": "thinText", "detail": "1 %", "weak": True}]},
        ),
        LedgerEntry(event="browser", data={"version": "156.0", "path": "/usr/bin/chromium", "sandbox": True}),
        LedgerEntry(
            event="access",
            url=url,
            data={
                "access": "dark",
                "reason": "noarchive",
                "record": {"file": "x.warc.gz", "offset": 1, "length": 2, "record_id": RECORD.format(9)},
            },
        ),
        robots_copy(),
        *signals(),
        LedgerEntry(event="end", data={"stopped": None, "counts": {"pages": 1}}),
    ]


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_every_event_that_is_written_is_valid(open_ledger: Open, logs: Path) -> None:
    ledger = open_ledger()
    ledger.append_many([*story(), *extra()])
    lines = segment_paths(logs)[0].read_bytes().splitlines(keepends=True)
    assert {check(line)["event"] for line in lines} == set(EVENTS)
    ROW.validate(orjson.loads(erase(lines[3])))


def test_rows_of_the_gateway_and_the_engine_are_valid(open_ledger: Open, logs: Path) -> None:
    """What others put together by hand stays within what is published."""
    candidate = model.Candidate(
        url=f"{SITE}/a", key=f"{SITE}/a", origin=model.Origin("https", "example.org", 443), path="LRE"
    )
    verdict = model.Decision(verdict=model.Verdict.REFUSE, reason=model.Reason.ROBOTS_TXT, rule="Disallow: /", line=2)
    objection = model.Objection(verdict=model.Verdict.REFUSE, reason=model.Reason.NOFOLLOW)
    outlink = model.Outlink(candidate=candidate, objection=objection)
    stored = model.StoredObject(uri="s3://b/k.warc.gz", sha256="ab" * 32, size=3)
    ledger = open_ledger()
    ledger.append_many(
        [
            gateway_record.decision_entry(candidate, verdict),
            engine_rows.seed_entry(candidate),
            engine_rows.pending_entry(candidate, model.Reason.PAGE_LIMIT),
            engine_rows.stored_entry(stored),
            *engine_rows.discovered_entries([outlink], frozenset({candidate.key})),
        ]
    )
    events = [check(line)["event"] for line in segment_paths(logs)[0].read_bytes().splitlines()]
    assert events == ["segment", "decision", "seed", "pending", "stored", "discovered"]


def test_rows_may_hold_more_than_is_documented(open_ledger: Open, logs: Path) -> None:
    open_ledger().append_many([decision("/", extra={"a": 1}), LedgerEntry(event="moonrise", data={"x": 1})])
    for line in segment_paths(logs)[0].read_bytes().splitlines():
        check(line)


@pytest.mark.parametrize(
    "entry",
    [
        LedgerEntry(event="decision", url=SITE, data={"verdict": "maybe", "reason": "allowed", "kind": "document"}),
        LedgerEntry(event="decision", url=SITE, data={"verdict": "allow", "reason": "because", "kind": "document"}),
        LedgerEntry(event="decision", data={"verdict": "allow", "reason": "allowed", "kind": "document"}),
        LedgerEntry(event="override", url=SITE, data={"what": "robots", "because": "", "by": "Ann"}),
        LedgerEntry(event="stored", data={"uri": "x", "sha256": "AB", "size": 1}),
        LedgerEntry(event="outcome", url=SITE, data={"status": "captured", "kind": "document", "record": {}}),
        LedgerEntry(event="No Event"),
    ],
)
def test_what_breaks_the_schema_is_found(entry: LedgerEntry, open_ledger: Open, logs: Path) -> None:
    open_ledger().append(entry)
    with pytest.raises(jsonschema.ValidationError):
        check(segment_paths(logs)[0].read_bytes().splitlines()[-1])


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ([one.value for one in model.Reason], SCHEMA["$defs"]["reason"]),
        ([one.value for one in model.FailureCode], SCHEMA["$defs"]["failure"]["properties"]["code"]),
        ([one.value for one in model.Kind], SCHEMA["$defs"]["kind"]),
        ([one.value for one in model.Lane], SCHEMA["$defs"]["lane"]),
        ([one.value for one in model.Access], SCHEMA["$defs"]["access"]),
        ([one.value for one in model.Verdict], SCHEMA["$defs"]["event.decision"]["properties"]["verdict"]),
        ([one.value for one in model.Status], SCHEMA["$defs"]["event.visit"]["properties"]["status"]),
        ([one.value for one in model.Truncated], SCHEMA["$defs"]["event.outcome"]["properties"]["truncated"]),
    ],
)
def test_the_schema_knows_every_word_of_the_model(values: list[str], where: dict[str, Any]) -> None:
    assert where["enum"] == values


def test_the_documentation_has_a_section_for_every_event_and_each_of_its_keys() -> None:
    sections = {part.split("`", 2)[1]: part for part in DOCUMENT.split("\n### ")[1:]}
    assert sorted(sections) == EVENTS
    for event in EVENTS:
        for key in SCHEMA["$defs"][f"event.{event}"]["properties"]:
            assert f"`{key}`" in DOCUMENT, f"{event}: {key} is not explained in docs/auditor/ledger.md"


@pytest.mark.needs("jq", "openssl")
def test_a_segment_holds_with_jq_and_openssl_alone(
    open_ledger: Open, logs: Path, tmp_path: Path, need: Callable[[str], Path]
) -> None:
    """The script is the one in the documentation; nothing of this package runs in it."""
    script = tmp_path / "check-ledger"
    found = re.search(r"```sh\n(#!/bin/sh\n.*?)```", DOCUMENT, re.DOTALL)
    assert found is not None
    script.write_text(found[1])

    ledger = open_ledger()
    strange = LedgerEntry(event="end", data={"text": 'ä\u2028\x7f\\"\n\t\x00 %s %d \\n 🏛 ' + RECORD})
    ledger.append_many([story()[9], strange])
    first = ledger.rotate()
    ledger.append_many([strange, strange])
    second = ledger.rotate()
    assert first is not None
    assert second is not None
    lines = second.path.read_bytes().splitlines(keepends=True)
    lines[1] = erase(lines[1])
    second.path.write_bytes(b"".join(lines))

    def run(path: Path) -> "subprocess.CompletedProcess[str]":
        tools = {str(need(name).parent) for name in ("jq", "openssl")}
        env = {"PATH": ":".join([*sorted(tools), "/usr/bin", "/bin"])}
        return subprocess.run(["sh", str(script), str(path)], capture_output=True, text=True, env=env, check=False)

    for segment in (first, second):
        checked = run(segment.path)
        assert checked.returncode == 0, checked.stdout + checked.stderr
        assert f"{segment.rows} rows hold, head {segment.head}" in checked.stdout

    whole = first.path.read_bytes()
    for old, new, row in [(b"robotsTxt", b"robotsTxx", "row 2"), (b'"seq":0,"leaf":"', b'"seq":0,"leaf":"0', "row 1")]:
        assert whole.count(old) >= 1
        first.path.write_bytes(whole.replace(old, new, 1))
        checked = run(first.path)
        assert checked.returncode == 1
        assert row in checked.stdout
