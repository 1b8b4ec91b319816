"""Closed files go up while the crawl runs, to SeaweedFS over TLS; and what becomes of them when it is away."""

from __future__ import annotations

import fcntl
import hashlib
import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from archiver.cli.schemas import UPLOAD_SCHEMA
from tests.servers.authority import Authority, make_authority
from tests.servers.raw import RawServer, raw_server
from tests.servers.seaweed import S3Server, client, seaweedfs
from tests.store.faulty import Plan, faulty
from tests.system.cli import archiver, check_collection, collection, ledger_bodies, running
from tests.system.site import site
from tests.system.test_disk import mounted
from tests.warc.foreign import warcio_warc

pytestmark = [pytest.mark.system, pytest.mark.needs("seaweedfs")]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[S3Server]:
    with seaweedfs(tmp_path_factory.mktemp("weed"), authority=authority) as server:
        client(server).create_bucket(Bucket="bucket")
        yield server


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
    early: dict[str, bytes] = {}
    with site(60, pause=0.02, slow=lambda: not early and len(server.requests) > 60) as server:
        env = store.environment("bucket/early/")
        with running(*command(server, tmp_path), cwd=tmp_path, env=env) as process:
            deadline = time.monotonic() + 60
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
        if key.endswith((".warc.gz", ".cdxj")) and "/merged/" not in key:
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


@pytest.fixture(scope="module")
def counted(store: S3Server, authority: Authority) -> Iterator[Plan]:
    """The store behind an endpoint that counts, and goes wrong as told."""
    with faulty(store.endpoint, authority) as plan:
        yield plan


def through(plan: Plan, store: S3Server, path: str) -> dict[str, str]:
    return store.environment(path) | {"STORE_ENDPOINT_URL": f"{plan.endpoint}/{path}"}


def puts(plan: Plan) -> list[str]:
    """Keys that were put since the last look."""
    found = [path for operation, path in plan.keys if operation == "put"]
    plan.keys.clear()
    return found


def test_a_save_puts_three_objects_and_what_grows_waits_its_minute(
    tmp_path: Path, store: S3Server, counted: Plan
) -> None:
    env = through(counted, store, "bucket/three/")
    with site(6) as server:
        for number in range(2):
            ran = archiver(*saving(server, f"/p{number + 1}"), cwd=tmp_path, env=env)
            assert ran.code == 0, ran.err
            keys = puts(counted)
            grown = [key for key in keys if "/archive/" not in key and ".gz.cdxj" not in key and "/logs/" not in key]
            assert len(keys) - len(grown) == 3 and bool(grown) is (number == 0), keys
    (told,) = archiver("upload", "--json", cwd=tmp_path, env=env).objects
    assert told["stored"] and told["left"] == [] and not [key for key in told["stored"] if "/archive/" in key]
    assert sorted(told["stored"]) == sorted(key.removeprefix("/bucket/three/") for key in puts(counted))
    again = archiver("upload", cwd=tmp_path, env=env)
    assert again.code == 0 and "everything is in the store already" in again.out
    assert puts(counted) == []
    assert held(store, "three/") == local(tmp_path, "three/")


def saving(server: RawServer, path: str) -> list[str]:
    return ["save", server.url(path), "--allow-address", f"127.0.0.1:{server.port}", "--lane", "http", "--json"]


def statuses(cwd: Path) -> list[str]:
    return [one["status"] for one in archiver("list", "--format", "jsonl", cwd=cwd).objects]


def test_what_was_archived_without_a_store_goes_up_later(tmp_path: Path, store: S3Server) -> None:
    with site(6) as server:
        assert archiver(*saving(server, "/p1"), cwd=tmp_path).code == 0
    none = archiver("upload", cwd=tmp_path)
    assert none.code == 4 and "STORE_ENDPOINT_URL" in none.err
    env = store.environment("bucket/put-up/")
    (warc,) = (collection(tmp_path) / "archive").glob("*.warc.gz")
    whole = warc.read_bytes()
    warc.write_bytes(whole[:-20])
    damaged = archiver("upload", "--json", cwd=tmp_path, env=env)
    jsonschema.validate(damaged.objects[0], UPLOAD_SCHEMA)
    assert damaged.code == 1 and damaged.objects[0]["damaged"] == [f"collections/main/archive/{warc.name}"]
    assert not any("/archive/" in key for key in held(store, "put-up/"))
    warc.write_bytes(whole)
    ran = archiver("upload", "--json", cwd=tmp_path, env=env)
    assert ran.code == 0, ran.out
    assert held(store, "put-up/") == local(tmp_path, "put-up/")
    rows = [row["uri"] for row in ledger_bodies(collection(tmp_path)) if row["event"] == "stored"]
    assert f"s3://bucket/put-up/collections/main/archive/{warc.name}" in rows
    check_collection(collection(tmp_path))


def test_what_a_killed_run_left_open_is_closed_and_goes_up(tmp_path: Path, store: S3Server) -> None:
    env = store.environment("bucket/torn/")
    with site(6) as server:
        assert archiver(*saving(server, "/p1"), cwd=tmp_path).code == 0
    (warc,) = (collection(tmp_path) / "archive").glob("*.warc.gz")
    whole = warc.read_bytes()
    warc.rename(f"{warc}.open")
    Path(f"{warc}.open").write_bytes(whole + whole[:100])
    (collection(tmp_path) / "indexes" / f"{warc.name}.cdxj").unlink()
    with Path(f"{warc}.open").open("rb") as held_by_a_run:
        fcntl.flock(held_by_a_run, fcntl.LOCK_EX)
        (left,) = archiver("upload", "--json", cwd=tmp_path, env=env).objects
        assert left["salvaged"] == [] and left["still_open"] == 1
    ran = archiver("upload", "--json", cwd=tmp_path, env=env)
    jsonschema.validate(ran.objects[0], UPLOAD_SCHEMA)
    assert ran.code == 0 and ran.objects[0]["salvaged"] == [warc.name] and ran.objects[0]["still_open"] == 0
    assert warc.read_bytes() == whole
    assert held(store, "torn/") == local(tmp_path, "torn/")
    (row,) = (row for row in ledger_bodies(collection(tmp_path)) if row["event"] == "salvage")
    assert (row["file"], row["cut"]) == (warc.name, len(whole)) and row["kept"] > 1
    check_collection(collection(tmp_path))


def test_local_copies_go_only_once_the_bucket_holds_them(tmp_path: Path, store: S3Server, free_port: Any) -> None:
    env = store.environment("bucket/away/")
    with site(8) as server:
        options = command(server, tmp_path, "--depth", "2")
        config = tmp_path / "crawl.yaml"
        config.write_text(config.read_text().replace("patience: 1", "patience: 1, keepLocal: false"))
        away = env | {"STORE_ENDPOINT_URL": f"https://127.0.0.1:{free_port()}/bucket/away/"}
        assert archiver(*options, cwd=tmp_path, env=away).code == 22
        left = archiver("upload", "--json", "--config", "crawl.yaml", cwd=tmp_path, env=away)
        jsonschema.validate(left.objects[0], UPLOAD_SCHEMA)
        assert left.code == 22 and left.objects[0]["left"] and left.objects[0]["stored"] == []
        before = {path.name: path.read_bytes() for path in collection(tmp_path).rglob("*.warc.gz")}
        assert before, "nothing is deleted that is not there"
        config.write_text(config.read_text().replace("patience: 1", "patience: 60"))
        told = archiver("upload", "--json", "--config", "crawl.yaml", cwd=tmp_path, env=env)
        assert told.code == 0 and told.objects[0]["freed_bytes"] == sum(map(len, before.values()))
        assert list(collection(tmp_path).rglob("*.warc.gz")) == []
        there = {key.rpartition("/")[2]: body for key, body in held(store, "away/").items() if key.endswith(".gz")}
        assert there == before
        assert set(statuses(tmp_path)) == {"archived"}
        ran = archiver(*options, cwd=tmp_path, env=env)
        assert ran.code == 0, ran.err
        assert list(collection(tmp_path).rglob("*.warc.gz")) == []
    manifest = (collection(tmp_path) / "manifest-sha256.txt").read_text()
    for key, body in held(store, "away/").items():
        if key.endswith(".warc.gz"):
            assert f"{hashlib.sha256(body).hexdigest()}  archive/{key.rpartition('/')[2]}" in manifest
    checked = archiver("verify", "crawls/collections/main", cwd=tmp_path)
    assert checked.code == 0 and "a store holds it" in checked.out, checked.out


@pytest.mark.parametrize("driver", ["pump", pytest.param("scrapy", marks=pytest.mark.soak)])
def test_intake_waits_while_too_much_waits_for_the_store(
    tmp_path: Path, store: S3Server, counted: Plan, driver: str
) -> None:
    """F-29: the store is away for a while; the crawl waits, goes on, and everything is archived."""
    env = through(counted, store, f"bucket/slow-{driver}/")
    counted.always["put"] = "503"
    with site(80, pause=0.2, size=8000) as server:
        options = command(server, tmp_path)
        options[options.index("pump")] = driver
        config = tmp_path / "crawl.yaml"
        config.write_text(config.read_text().replace("patience: 1", "patience: 30, spoolLimit: 20000"))
        with running(*options, cwd=tmp_path, env=env) as process:
            rows: list[Any] = []
            deadline = time.monotonic() + 60
            while not rows and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.2)
                if (collection(tmp_path) / "logs").is_dir():
                    rows = [row for row in ledger_bodies(collection(tmp_path)) if row["event"] == "spool"]
            del counted.always["put"]
            _, err = process.communicate(timeout=90)
    assert process.returncode == 0, err
    rows = [row for row in ledger_bodies(collection(tmp_path)) if row["event"] == "spool"]
    assert [row["state"] for row in rows[:2]] == ["paused", "resumed"]
    assert {row["reason"] for row in rows} == {"spoolLimit"} and "paused: the spool is at its limit" in err
    assert set(statuses(tmp_path)) == {"archived"}
    assert rows[-1]["t"] <= ledger_bodies(collection(tmp_path))[-1]["t"]
    (end,) = (row for row in ledger_bodies(collection(tmp_path)) if row["event"] == "end")
    assert end["uploads"]["again"] + end["uploads"]["files_again"] > 0
    check_collection(collection(tmp_path))


@pytest.mark.parametrize("kind", ["silent", "no-store"])
def test_a_store_that_never_answers_or_is_none_is_told_soon(tmp_path: Path, kind: str, free_port: Any) -> None:
    with site(3) as server, other_server(kind) as url:
        env = {"STORE_ENDPOINT_URL": f"{url}/bucket", "STORE_ACCESS_KEY": "AK", "STORE_SECRET_KEY": "SKSKSK"}
        config = tmp_path / "home" / "archiver" / "config.yaml"
        config.parent.mkdir(parents=True)
        config.write_text("storage: {patience: 2}\n")
        began = time.monotonic()
        ran = archiver(*saving(server, "/p1"), cwd=tmp_path, env=env | {"XDG_CONFIG_HOME": str(tmp_path / "home")})
    assert ran.code == 22, (ran.out, ran.err)
    assert [one["status"] for one in ran.objects] == ["captured"]
    words = "gave no answer" if kind == "silent" else "storage.endpointUrl"
    assert words in str(ran.objects[0]["error"])
    assert time.monotonic() - began < 50, "the patience is two seconds"


@contextmanager
def other_server(kind: str) -> Iterator[str]:
    """One that takes connections and says nothing, or one that says 404 to everything."""
    if kind == "silent":
        with socket.create_server(("127.0.0.1", 0)) as listening:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        return
    with raw_server({}) as server:
        yield server.url("")


def test_a_refused_key_and_where_secrets_are_not(tmp_path: Path, store: S3Server) -> None:
    """Key and token are refused here, which is when they would be shown; all files and outputs are looked through."""
    secrets = {"STORE_SECRET_KEY": "swordfish-key-1", "STORE_SESSION_TOKEN": "swordfish-token-2"}
    env = store.environment("bucket/refused/") | secrets | {"XDG_STATE_HOME": str(tmp_path / "state")}
    with site(6) as server:
        ran = archiver(*command(server, tmp_path), cwd=tmp_path, env=env)
        assert ran.code == 33, (ran.out, ran.err)
        assert [one["status"] for one in ran.objects] == ["captured"]
        assert "refuses the key" in str(ran.objects[0]["error"])
        inside = "https://somebody:swordfish-url-3@127.0.0.1:1/bucket"
        refused = archiver(*saving(server, "/p1"), cwd=tmp_path, env=env | {"STORE_ENDPOINT_URL": inside})
        assert refused.code == 4 and "must not hold a user name" in refused.err
    later = archiver("upload", cwd=tmp_path, env=env)
    assert later.code == 33 and "Not stored" in later.out
    told = archiver("doctor", cwd=tmp_path, env=env)
    assert "the key" in told.out
    check_collection(collection(tmp_path))
    assert held(store, "refused/") == {}
    said = "".join(one.out + one.err for one in (ran, refused, later, told))
    texts = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"swordfish" not in texts + said.encode()


def test_imported_files_go_up_like_our_own_and_apart(tmp_path: Path, store: S3Server) -> None:
    """Restricted by default, so under `private/`; told as stored; the same command again puts nothing."""
    path = warcio_warc(tmp_path / "theirs.warc.gz")
    env = store.environment("bucket/imported/")
    given = ("import", str(path), "--note", "theirs")
    ran = archiver(*given, cwd=tmp_path, env=env)
    assert ran.code == 0, ran.err
    there = held(store, "imported/")
    name = "imported/private/collections/main/restricted/theirs.warc.gz"
    assert there[name] == path.read_bytes()
    assert {**there, **local(tmp_path, "imported/")} == there
    rows = [row for row in ledger_bodies(collection(tmp_path)) if row["event"] == "stored"]
    assert f"s3://bucket/{name}" in {row["uri"] for row in rows}
    assert archiver(*given, cwd=tmp_path, env=env).code == 0
    assert held(store, "imported/").keys() == there.keys()


@pytest.mark.soak
@pytest.mark.needs("mount")
def test_a_full_disk_is_emptied_into_the_bucket(tmp_path: Path, store: S3Server) -> None:
    """`keepLocal: false` on a disk that holds a part of the crawl: WARCs in the bucket make room, nothing is lost."""
    env = store.environment("bucket/small-disk/")
    with site(160, size=300_000, pause=0.05) as server, mounted(tmp_path / "small", "size=24m") as disk:
        config = tmp_path / "crawl.yaml"
        config.write_text(
            "scopeType: host\nrolloverSize: 1000000\ndiskUtilization: 50\n"
            "storage: {keepLocal: false, patience: 60, holdLimit: 60}\n"
        )
        allow = ["--allow-address", f"127.0.0.1:{server.port}", "--delay", "0", "--concurrency", "1"]
        options = ["crawl", str(config), "--url", server.url("/"), *allow, "--driver", "pump", "--json"]
        ran = archiver(*options, "--out", str(disk / "crawls"), cwd=tmp_path, env=env)
        assert ran.code == 0, (ran.out, ran.err)
        folder = disk / "crawls" / "collections" / "main"
        assert list(folder.rglob("*.warc.gz")) == []
        there = [body for key, body in held(store, "small-disk/").items() if key.endswith(".warc.gz")]
        assert sum(map(len, there)) > 12_600_000, "more than half of the disk, where a run ends that frees nothing"
        checked = archiver("verify", "main", "--remote", "--out", str(disk / "crawls"), cwd=tmp_path, env=env)
        assert checked.code == 0, checked.out
