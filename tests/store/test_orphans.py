"""Uploads in parts that a crash left: ended at the next start, by the journal's word or by their age (F-26)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from archiver.clock import ManualClock
from archiver.processes import this_process
from archiver.store import S3Settings, S3Store, SpoolJournal
from archiver.store.s3client import make_client
from tests.servers.authority import Authority
from tests.servers.seaweed import S3Server
from tests.store.faulty import Plan, faulty

DAY = 86_400.0
KEY = "collections/x/archive/half.warc.gz"
BOOT, NAMESPACE, PID, STARTED = this_process().split("|")
DEAD = "|".join([BOOT, NAMESPACE, PID, str(int(STARTED) - 1)])
"""Our own number, given to another process before: it is not us."""


@pytest.fixture
def plan(s3_server: S3Server, authority: Authority) -> Iterator[Plan]:
    with faulty(s3_server.endpoint, authority) as found:
        yield found


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SpoolJournal]:
    found = SpoolJournal(tmp_path / "u.sqlite", tmp_path)
    yield found
    found.close()


@pytest.fixture
async def stores(settings: Callable[..., S3Settings], plan: Plan, journal: SpoolJournal) -> AsyncIterator[Any]:
    """`stores(clock)`: a store behind the plan, and the client of somebody else who begins uploads."""
    wanted = settings(endpoint_url=plan.endpoint)
    client = make_client(wanted, 1)
    made: list[S3Store] = []

    def make(clock: ManualClock) -> tuple[S3Store, S3Settings, Any]:
        made.append(S3Store(wanted, clock=clock, log=journal))
        return made[-1], wanted, client

    yield make
    client.close()
    for store in made:
        await store.close()


def half(client: Any, settings: S3Settings, key: str) -> str:
    upload = client.create_multipart_upload(Bucket=settings.bucket, Key=key)["UploadId"]
    client.upload_part(Bucket=settings.bucket, Key=key, UploadId=upload, PartNumber=1, Body=b"half of it")
    return str(upload)


def waiting(client: Any, settings: S3Settings) -> set[str]:
    listed = client.list_multipart_uploads(Bucket=settings.bucket, Prefix=settings.path)
    return {one["UploadId"] for one in listed.get("Uploads", ())}


async def test_what_the_journal_names_is_ended_at_once_unless_its_process_lives(
    stores: Any, plan: Plan, journal: SpoolJournal, tmp_path: Path
) -> None:
    store, settings, client = stores(ManualClock())
    full = store.full_key(KEY)
    dead, mine = half(client, settings, full), half(client, settings, full)
    journal.begun(full, dead)
    journal.begun(full, mine)
    journal._db.execute("UPDATE parts SET process = ? WHERE upload_id = ?", (DEAD, dead))
    plan.always["delete"] = "403-denied"
    (left,) = await store.end_orphans(journal.left_parts(), None, older=DAY)
    assert (left.key, left.upload_id) == (full, dead) and "AccessDenied" in left.error
    assert waiting(client, settings) == {dead, mine}
    del plan.always["delete"]
    (ended,) = await store.end_orphans(journal.left_parts(), None, older=DAY)
    assert ended.to_json()["aborted"] is True
    assert waiting(client, settings) == {mine} and journal.left_parts() == []
    journal._db.execute("UPDATE parts SET process = ''")  # as an earlier version wrote it
    client.abort_multipart_upload(Bucket=settings.bucket, Key=full, UploadId=mine)
    (gone,) = await store.end_orphans(journal.left_parts(), None, older=DAY)
    assert gone.error == "" and journal.left_parts() == []


async def test_old_ones_below_our_prefix_are_ended_and_those_of_others_left(stores: Any, plan: Plan) -> None:
    clock = ManualClock()
    store, settings, client = stores(clock)
    private = store.full_key("collections/x/dark/a.warc.gz")
    ours = {half(client, settings, store.full_key(KEY)), half(client, settings, private)}
    other = half(client, settings, f"{settings.path}/collections/other/archive/a.warc.gz")
    young = await store.end_orphans((), "collections/x/", older=10 * 365 * DAY)
    assert young == ()
    clock.advance(100 * 365 * DAY)
    ended = await store.end_orphans((), "collections/x/", older=DAY)
    assert {one.upload_id for one in ended} == ours and all(one.started for one in ended)
    assert waiting(client, settings) == {other}
