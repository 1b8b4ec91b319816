"""What runs count is what a proxy in front of the store sees; sums, shares and money from it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from archiver.clock import SYSTEM
from archiver.store import S3Settings
from archiver.store.bucketcheck import check_bucket
from archiver.store.costs import Cost, Counted, Held, Prices, add_run, held, read_counts
from archiver.store.remote import open_remote
from tests.servers.authority import Authority
from tests.servers.seaweed import S3Server
from tests.store.conftest import FAST, file_of
from tests.store.faulty import Plan, faulty

pytestmark = pytest.mark.system

Make = Callable[..., S3Settings]
RUN = {"requests": 6, "again": 1, "operations": {"put_object": 3, "get_object": 3}, "bytes_up": 30, "bytes_down": 40}


@dataclass(frozen=True, kw_only=True)
class Section:
    """The `storage:` section as `open_remote` wants it."""

    settings: S3Settings
    uploads: int = 2
    patience: float = 20.0

    def options(self) -> dict[str, Any]:
        wanted = self.settings
        return {name: getattr(wanted, name) for name in wanted.__dataclass_fields__}


@dataclass(frozen=True, kw_only=True)
class Closed:
    path: Path
    sha256: str


@pytest.fixture
def plan(s3_server: S3Server, authority: Authority) -> Iterator[Plan]:
    with faulty(s3_server.endpoint, authority) as found:
        yield found


async def test_a_proxy_in_front_saw_the_same(settings: Make, plan: Plan, tmp_path: Path) -> None:
    """Small files, one in parts, a try that is refused, and two runs of one collection."""
    wanted = settings(endpoint_url=plan.endpoint, single_limit=6 << 20, part_size=5 << 20, timing=FAST)
    folder = tmp_path / "collections" / "c" / "archive"
    plan.faults["put"] = ["503"]
    for number, sizes in enumerate([(1_000, 20_000, 7 << 20), (500,)]):
        async with AsyncExitStack() as stack:
            remote = await open_remote(Section(settings=wanted), tmp_path / "uploads.sqlite", tmp_path, stack)
            for size in sizes:
                path, sha256 = file_of(folder, bytes(size), f"{number}-{size}.warc.gz")
                await remote.add([Closed(path=path, sha256=sha256)], {})
            assert (await remote.drain()).error is None
    (counted,) = read_counts(tmp_path / "requests.json")
    assert sum(counted.requests.values()) == len(plan.seen)
    assert (counted.runs, counted.again, counted.place) == (2, 1, wanted.place)
    assert (counted.bytes_up, counted.bytes_down) == (plan.up, plan.down)
    assert counted.requests["upload_part"] == plan.seen.count("part") == 2
    assert held(tmp_path / "uploads.sqlite") == Held(objects=4, size=plan.up)
    assert counted.bytes_down == counted.bytes_up, "each upload is read back, once"


async def test_a_bucket_that_proved_itself_sends_nothing_back(settings: Make, plan: Plan, tmp_path: Path) -> None:
    """`bucket check`, then a run: a HEAD an object, and one before parts are sent; nothing is read back."""
    wanted = settings(endpoint_url=plan.endpoint, single_limit=6 << 20, part_size=5 << 20, timing=FAST)
    assert (await check_bucket(wanted, tmp_path / "stores.json")).proof.of_checksums
    down, folder = plan.down, tmp_path / "collections" / "c" / "archive"
    async with AsyncExitStack() as stack:
        journal, proofs = tmp_path / "uploads.sqlite", tmp_path / "stores.json"
        remote = await open_remote(Section(settings=wanted), journal, tmp_path, stack, proofs=proofs)
        for size in (1_000, 7 << 20):
            path, sha256 = file_of(folder, bytes(size), f"{size}.warc.gz")
            await remote.add([Closed(path=path, sha256=sha256)], {})
        assert (await remote.drain()).error is None
    (counted,) = read_counts(tmp_path / "requests.json")
    assert (counted.bytes_down, plan.down) == (0, down)
    assert counted.requests["head_object"] == 3 and "get_object" not in counted.requests


def test_runs_add_up_by_place(tmp_path: Path) -> None:
    file = tmp_path / "requests.json"
    for place in ("https://a/b", "https://a/b", "https://c/d"):
        add_run(file, place, RUN, SYSTEM)
    first, second = read_counts(file)
    assert (first.place, first.runs, first.writes, first.reads) == ("https://a/b", 2, 6, 6)
    assert (first.bytes_up, first.bytes_down, first.again) == (60, 80, 2)
    assert (second.place, second.runs) == ("https://c/d", 1)


def test_a_run_that_asked_nothing_adds_nothing(tmp_path: Path) -> None:
    nothing = {"requests": 0, "again": 0, "operations": {}, "bytes_up": 0, "bytes_down": 0}
    add_run(tmp_path / "requests.json", "https://a/b", nothing, SYSTEM)
    assert read_counts(tmp_path / "requests.json") == [] and not list(tmp_path.iterdir())


def test_figures_that_cannot_be_kept_end_no_run(tmp_path: Path) -> None:
    add_run(tmp_path / "missing" / "requests.json", "https://a/b", RUN, SYSTEM)
    (tmp_path / "requests.json").write_text("{")
    assert read_counts(tmp_path / "requests.json") == []
    add_run(tmp_path / "requests.json", "https://a/b", RUN, SYSTEM)
    assert len(read_counts(tmp_path / "requests.json")) == 1


def test_lists_are_billed_as_writes_and_deletes_are_not() -> None:
    counted = one_run({"list_objects_v2": 1, "put_object": 2, "head_object": 4, "abort_multipart_upload": 8})
    assert (counted.writes, counted.reads, counted.ends) == (3, 4, 2)


def test_shares_and_money() -> None:
    cost = Cost(
        counted=one_run({"put_object": 2000, "get_object": 4000}), held=Held(objects=2000, size=2 * 10**9),
        captures=500, prices=Prices(write=0.005, read=0.0004, storage=0.02, down=0.1),
    )  # fmt: skip
    per_1000, per_gb = cost.per_1000_captures(), cost.per_gb()
    assert per_1000 is not None and per_gb is not None
    assert (per_1000["objects"], per_1000["write_requests"], per_gb["read_requests"]) == (4000, 4000, 2000)
    assert cost.amounts()["money_once"] == pytest.approx(2 * 0.005 + 4 * 0.0004 + 3 * 0.1)
    assert cost.amounts()["money_a_month"] == pytest.approx(0.04)
    assert per_gb["money_a_month"] == pytest.approx(0.02)
    assert not cost.is_partial
    assert json.loads(json.dumps(cost.to_json()))["per_1000_captures"]["bytes_down"] == 6 * 10**9


def test_nothing_archived_has_no_share_and_more_objects_than_puts_is_told() -> None:
    cost = Cost(counted=one_run({"put_object": 1}), held=Held(objects=2, size=0), captures=0)
    assert cost.per_1000_captures() is None and cost.per_gb() is None and cost.is_partial
    assert "money_once" not in cost.amounts()


def one_run(requests: dict[str, int]) -> Counted:
    return Counted(
        place="https://a/b", runs=1, since="2026-01-01T00:00:00Z", requests=requests, again=0, bytes_up=10**9,
        bytes_down=3 * 10**9,
    )  # fmt: skip
