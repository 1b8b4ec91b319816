"""`archiver cost`: the demo site archived into SeaweedFS, then what that came to; what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from archiver.cli.main import main
from archiver.store import S3Settings
from archiver.store.s3client import make_client
from tests.servers.seaweed import S3Server, seaweedfs

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with seaweedfs(tmp_path_factory.mktemp("weed")) as server:
        yield server


def test_what_the_demo_cost(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, store: S3Server
) -> None:
    for name, value in store.environment("cost-bucket").items():
        monkeypatch.setenv(name, value)
    out = ["--out", str(tmp_path)]
    assert main(["save", "--demo", "--lane", "http", "--json", *out]) == 0
    saved = capsys.readouterr().out.splitlines()
    assert main(["cost", "demo", "--json", "--price", "write=5", "--price", "storage=1000000", *out]) == 0
    cost = json.loads(capsys.readouterr().out)
    archived = [line for line in saved if json.loads(line)["status"] == "archived"]
    assert cost["captures"] == len(archived) > 0 and cost["runs"] == 1 and not cost["partial"]
    keys, size = _in_bucket(store)
    assert (cost["in_all"]["objects"], cost["in_all"]["stored_bytes"]) == (keys, size)
    assert cost["in_all"]["bytes_up"] >= size
    assert cost["per_1000_captures"]["objects"] == pytest.approx(keys * 1000 / len(archived))
    assert cost["in_all"]["money_once"] == pytest.approx(cost["in_all"]["write_requests"] * 5 / 1000)
    assert cost["per_gb_stored"]["money_a_month"] == pytest.approx(1_000_000)
    assert main(["cost", "demo", *out]) == 0
    printed = capsys.readouterr().out
    assert "1,000 captures" in printed and f"{size:,}" in printed and "uploads are read back" in printed


def _in_bucket(store: S3Server) -> tuple[int, int]:
    settings = S3Settings(
        bucket="cost-bucket", endpoint_url=store.endpoint, access_key=store.access_key, secret_key=store.secret_key,
        ca_file=str(store.ca_file),
    )  # fmt: skip
    client = make_client(settings, 1)
    found = client.list_objects_v2(Bucket="cost-bucket")["Contents"]
    client.close()
    return len(found), sum(one["Size"] for one in found)


@pytest.mark.parametrize("price", ["write", "write=", "write=-1", "write=nan", "gold=3", "=3"])
def test_a_price_that_is_none_is_named(capsys: pytest.CaptureFixture[str], price: str) -> None:
    assert main(["cost", "--price", price]) == 2
    assert f"--price: {price!r}" in capsys.readouterr().err


def test_without_a_count_it_says_how_to_get_one(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "collections" / "main" / "state").mkdir(parents=True)
    assert main(["cost", "--out", str(tmp_path)]) == 2
    assert "archiver save --demo" in capsys.readouterr().err
