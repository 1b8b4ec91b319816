"""Closed files go up while the crawl runs, to SeaweedFS over TLS; and what becomes of them when it is away."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.servers.raw import RawServer
from tests.servers.seaweed import S3Server, seaweedfs
from tests.system.cli import archiver, check_collection, collection, ledger_bodies, running
from tests.system.site import site

pytestmark = [pytest.mark.system, pytest.mark.needs("seaweedfs")]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with seaweedfs(tmp_path_factory.mktemp("weed")) as server:
        client(server).create_bucket(Bucket="bucket")
        yield server


def client(server: S3Server) -> Any:
    return boto3.client(
        "s3", endpoint_url=server.endpoint, aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key, region_name=server.region, verify=str(server.ca_file),
        config=Config(retries={"max_attempts": 5}, s3={"addressing_style": "path"}),
    )  # fmt: skip


def held(server: S3Server, prefix: str) -> dict[str, bytes]:
    """What the bucket holds below a prefix, read by somebody else than us."""
    s3 = client(server)
    listed = s3.list_objects_v2(Bucket="bucket", Prefix=prefix).get("Contents", [])
    return {one["Key"]: s3.get_object(Bucket="bucket", Key=one["Key"])["Body"].read() for one in listed}


def local(cwd: Path, prefix: str) -> dict[str, bytes]:
    """Everything of a collection but its state, by the key it is to have: restricted and dark files apart."""
    root, found = cwd / "crawls", {}
    for path in collection(cwd).rglob("*"):
        folder = path.relative_to(collection(cwd)).parts[0]
        if path.is_file() and folder != "state" and (path.parent.name != "merged" or path.stat().st_size):
            apart = "private/" if folder in ("restricted", "dark") else ""
            found[f"{prefix}{apart}{path.relative_to(root).as_posix()}"] = path.read_bytes()
    return found


def command(server: RawServer, cwd: Path, *options: str) -> list[str]:
    config = cwd / "crawl.yaml"
    config.write_text("rolloverSize: 30000\nscopeType: host\nstorage: {patience: 1, attempts: 1}\n")
    allow = ["--allow-address", f"127.0.0.1:{server.port}", "--delay", "0", "--driver", "pump", "--json"]
    return ["crawl", str(config), "--url", server.url("/"), *allow, *options]


def test_files_go_up_while_the_crawl_runs(tmp_path: Path, store: S3Server) -> None:
    with site(60, pause=0.02) as server:
        env = store.environment("bucket/early/")
        with running(*command(server, tmp_path), cwd=tmp_path, env=env) as process:
            deadline = time.monotonic() + 60
            early: dict[str, bytes] = {}
            while not early and process.poll() is None and time.monotonic() < deadline:
                early = held(store, "early/")
                time.sleep(0.1)
            running_then = process.poll() is None
            out, err = process.communicate(timeout=60)
    assert early and running_then, "nothing was up before the crawl had ended"
    assert process.returncode == 0, err
    there = held(store, "early/")
    assert early.items() <= there.items()
    assert there == local(tmp_path, "early/")
    check_collection(collection(tmp_path))
    (told,) = (json.loads(line) for line in out.splitlines() if line.startswith("{"))
    remote = [one for one in told["stored"] if one["uri"].startswith("s3://")]
    assert told["status"] == "archived" and remote
    for one in remote:
        body = there[one["uri"].removeprefix("s3://bucket/")]
        assert (hashlib.sha256(body).hexdigest(), len(body)) == (one["sha256"], one["size"])
    stored = {row["uri"]: row["sha256"] for row in ledger_bodies(collection(tmp_path)) if row["event"] == "stored"}
    for key, body in there.items():
        if key.endswith((".warc.gz", ".cdxj")):
            assert stored[f"s3://bucket/{key}"] == hashlib.sha256(body).hexdigest()


def test_a_store_that_is_down_and_comes_back(tmp_path: Path, store: S3Server, free_port: Any) -> None:
    with site(6) as server:
        away = store.environment("bucket/later/") | {
            "STORE_ENDPOINT_URL": f"https://127.0.0.1:{free_port()}/bucket/later/"
        }
        ran = archiver(*command(server, tmp_path), cwd=tmp_path, env=away)
        assert ran.code == 22, ran.err
        assert [one["status"] for one in ran.objects] == ["captured"]
        check_collection(collection(tmp_path))
        before = local(tmp_path, "later/")
        assert before and held(store, "later/") == {}
        again = archiver(
            "save", server.url("/p1"), "--allow-address", f"127.0.0.1:{server.port}", cwd=tmp_path,
            env=store.environment("bucket/later/"),
        )  # fmt: skip
        assert again.code == 0, again.err
    there = held(store, "later/")
    kept = {key: body for key, body in before.items() if key.endswith((".warc.gz", ".warc.gz.cdxj", ".jsonl"))}
    del kept["later/collections/main/pages/pages.jsonl"]
    assert kept.items() <= there.items(), "the next run takes up what was left"
    assert there == local(tmp_path, "later/")


def test_a_refused_key(tmp_path: Path, store: S3Server) -> None:
    with site(6) as server:
        env = store.environment("bucket/refused/") | {"STORE_SECRET_KEY": "not-the-key"}
        ran = archiver(*command(server, tmp_path), cwd=tmp_path, env=env)
    assert ran.code == 33, (ran.out, ran.err)
    assert [one["status"] for one in ran.objects] == ["captured"]
    check_collection(collection(tmp_path))
    assert held(store, "refused/") == {}
    texts = b"".join(path.read_bytes() for path in (tmp_path / "crawls").rglob("*") if path.is_file())
    assert b"not-the-key" not in texts and "not-the-key" not in ran.out + ran.err
