"""A crawl with upload, checked in the bucket: with a key that may list and get alone, after the local copy is gone."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from archiver.store import S3Settings, S3Store
from archiver.store.orphans import Orphan
from archiver.store.s3client import make_client
from tests.servers.authority import Authority, make_authority
from tests.servers.raw import raw_server, respond
from tests.servers.seaweed import S3Server, seaweedfs
from tests.store.faulty import faulty
from tests.system.cli import Ran, archiver

pytestmark = [pytest.mark.system, pytest.mark.needs("seaweedfs")]

_PAGES = {
    "/": respond(b"<title>i</title>" + b"".join(b"<a href=/%c>x</a>" % name for name in b"abn")),
    "/a": respond(b"<title>a</title>" + b"a" * 900),
    "/b": respond(b"<title>b</title>" + b"b" * 900),
    "/n": respond(b"<title>n</title>secret", headers="X-Robots-Tag: noarchive\r\n"),
}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[S3Server]:
    with seaweedfs(tmp_path_factory.mktemp("weed"), authority=authority) as server:
        _client(server).create_bucket(Bucket="bucket")
        yield server


@pytest.fixture(scope="module")
def uploaded(tmp_path_factory: pytest.TempPathFactory, store: S3Server) -> Path:
    """The folder that the crawl ran in."""
    work = tmp_path_factory.mktemp("crawled")
    with raw_server(_PAGES) as server:
        config = work / "c.yaml"
        config.write_text(
            f"seeds: [{{url: '{server.url('/')}'}}]\nrolloverSize: 9000\ndelay: 0\n"
            f"allowAddresses: ['127.0.0.1:{server.port}']\n"
        )
        ran = archiver("crawl", str(config), cwd=work, env={"HOME": str(work), **_environment(store)})
    assert ran.code == 0, ran.err
    return work


def _environment(store: S3Server, endpoint: str = "") -> dict[str, str]:
    return {**store.environment("bucket/pre"), **({"STORE_ENDPOINT_URL": f"{endpoint}/bucket/pre"} if endpoint else {})}


def _client(server: S3Server) -> Any:
    return make_client(
        S3Settings(
            bucket="bucket", endpoint_url=server.endpoint, access_key=server.access_key,
            secret_key=server.secret_key, ca_file=str(server.ca_file),
        ), 2,
    )  # fmt: skip


async def _unfinished(store: S3Server) -> Sequence[Orphan]:
    """Uploads in parts, however young."""
    settings = S3Settings(
        bucket="bucket", path="pre", endpoint_url=store.endpoint, access_key=store.access_key,
        secret_key=store.secret_key, ca_file=str(store.ca_file),
    )  # fmt: skip
    there = S3Store(settings)
    try:
        return await there.unfinished("collections/main/", older=-3600.0)
    finally:
        await there.close()


def _keys(store: S3Server) -> list[str]:
    return [one["Key"] for one in _client(store).list_objects_v2(Bucket="bucket")["Contents"]]


def _said(ran: Ran) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Results by file, and the summary."""
    *files, summary = map(json.loads, ran.out.splitlines())
    return {one["file"].partition("/collections/main/")[2]: one for one in files}, summary


def test_it_holds_with_and_without_a_local_copy(tmp_path: Path, store: S3Server, uploaded: Path) -> None:
    here = archiver("verify", "--remote", "--json", "--no-log", cwd=uploaded, env=_environment(store))
    gone = archiver("verify", "--remote", "--json", cwd=tmp_path, env=_environment(store))
    for ran in (here, gone):
        assert ran.code == 0, ran.out + ran.err
        files, last = _said(ran)
        assert {key.partition("/collections/main/")[2] for key in _keys(store)} == files.keys()
        assert last["summary"]["unknown"] == last["summary"]["missing"] == last["summary"]["damaged"] == 0
        assert any(name.startswith("dark/") for name in files)
        assert all(json.loads(line)["file"].startswith("s3://bucket/pre/") for line in ran.out.splitlines()[:-1])
    said = archiver("verify", "--log", "--json", cwd=tmp_path)
    logged = [json.loads(line) for line in said.out.splitlines()]
    assert {one["file"] for one in logged if one["remote"] and one["remote"]["state"] == "holds"} == files.keys()
    shown = archiver("verify", "--log", cwd=tmp_path)
    assert shown.code == 0 and "1 checks of main" in shown.out
    assert archiver("verify", cwd=uploaded).code == 0, "what ran here holds too"


def test_damage_in_the_bucket_is_found_and_what_is_on_the_way_is_not(
    tmp_path: Path, store: S3Server, uploaded: Path, authority: Authority
) -> None:
    assert uploaded.exists()
    client = _client(store)
    key = min(key for key in _keys(store) if "/archive/" in key)
    good = client.get_object(Bucket="bucket", Key=key)["Body"].read()
    stranger = "pre/collections/main/archive/stranger.warc.gz"
    parts = client.create_multipart_upload(Bucket="bucket", Key=f"{key}.parts")["UploadId"]
    try:
        client.put_object(Bucket="bucket", Key=key, Body=good[:300] + b"\0" + good[301:])
        client.put_object(Bucket="bucket", Key=stranger, Body=good)
        ran = archiver("verify", "--remote", "--json", cwd=tmp_path, env=_environment(store))
        files, last = _said(ran)
        left = asyncio.run(_unfinished(store))
        assert [(one.key, one.upload_id, one.error) for one in left] == [(f"{key}.parts", parts, "")]
        assert ran.code == 1 and last["summary"]["damaged"] == 1 and last["summary"]["unknown"] == 1
        name = key.partition("/collections/main/")[2]
        assert [name for name, one in files.items() if one["problems"]] == [name]
        assert "SHA-256 is" in files[name]["problems"][0] and " at 0: badGzip" in files[name]["problems"][1]
        client.delete_object(Bucket="bucket", Key=key)
        ran = archiver("verify", "--remote", "--sample", "1%", cwd=tmp_path, env=_environment(store))
        assert ran.code == 1 and "it is not there" in ran.out and "stranger.warc.gz" in ran.out
    finally:
        client.put_object(Bucket="bucket", Key=key, Body=good)
        client.delete_object(Bucket="bucket", Key=stranger)
        client.abort_multipart_upload(Bucket="bucket", Key=f"{key}.parts", UploadId=parts)
    with faulty(store.endpoint, authority) as plan:
        plan.faults["get"] = ["", "503", "corrupt-response", "truncate-response"]
        ran = archiver("verify", "--remote", "--json", "--no-log", cwd=tmp_path, env=_environment(store, plan.endpoint))
        assert ran.code == 0 and not plan.faults["get"], ran.out + ran.err


def test_a_store_that_is_away_or_refuses_the_key(tmp_path: Path, store: S3Server, uploaded: Path) -> None:
    assert uploaded.exists()
    shutil.rmtree(tmp_path / "crawls", ignore_errors=True)
    ran = archiver("verify", "--remote", cwd=tmp_path, env={**_environment(store), "STORE_SECRET_KEY": "wrong"})
    assert ran.code == 33 and "wrong" not in ran.err.replace("SignatureDoesNotMatch", "")
    config = tmp_path / ".config/archiver"
    config.mkdir(parents=True)
    (config / "config.yaml").write_text("storage: {attempts: 1}\n")
    env = {**_environment(store, "https://127.0.0.1:9"), "HOME": str(tmp_path)}
    ran = archiver("verify", "--remote", cwd=tmp_path, env=env)
    assert ran.code == 22 and "127.0.0.1:9" in ran.err
    assert archiver("verify", "--remote", cwd=tmp_path).code == 2
    assert not (tmp_path / "crawls").exists(), "what checked nothing logs nothing"
