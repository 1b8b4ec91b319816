"""Buckets that prove themselves: SeaweedFS over TLS as it is, and a store that is careless in one way at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from archiver.clock import SYSTEM
from archiver.store import S3Settings
from archiver.store.bucketcheck import Checked, check_bucket
from archiver.store.bucketinit import Wish, init_bucket
from archiver.store.proofs import read_proof
from archiver.store.s3client import make_client
from tests.servers.authority import Authority
from tests.servers.seaweed import S3Server
from tests.store.loose import loose

pytestmark = pytest.mark.system

Make = Callable[..., S3Settings]
WRITER = "arn:aws:iam::000000000000:user/writer"


def states(found: Checked) -> dict[str, str]:
    return {line.name: line.state for line in found.lines}


def fresh(settings: Make, name: str) -> S3Settings:
    """A bucket of the test's own, made."""
    wanted = settings(bucket=name, path="pre")
    client = make_client(wanted, 1)
    client.create_bucket(Bucket=name)
    client.close()
    return wanted


def names_in(settings: S3Settings) -> list[str]:
    client = make_client(settings, 1)
    found = client.list_object_versions(Bucket=settings.bucket)
    client.close()
    return [one["Key"] for kind in ("Versions", "DeleteMarkers") for one in found.get(kind, ())]


async def set_up(settings: S3Settings, **wish: object) -> None:
    steps = [step async for step in init_bucket(settings, Wish(**wish))]  # type: ignore[arg-type]
    assert not any(step.is_bad for step in steps), steps


async def test_a_real_store_proves_what_it_does(settings: Make, tmp_path: Path) -> None:
    wanted = fresh(settings, "check-plain")
    found = await check_bucket(wanted, tmp_path / "stores.json")
    told = states(found)
    assert found.exit_code == 0 and not found.left
    for name in ("put", "head", "get", "range", "list", "taken key", "checksum", "checksum (parts)", "open uploads",
                 "multipart", "taken key (parts)", "abort", "trailer", "private", "public write"):  # fmt: skip
        assert told[name] == "ok", name
    for name in ("versioning", "lifecycle", "overwrite", "delete"):
        assert told[name] == "warn", name
    assert found.proof.of_checksums and found.proof.server.startswith("SeaweedFS")
    assert read_proof(wanted, tmp_path / "stores.json") == dataclasses.replace(
        found.proof,
        at=read_proof(wanted, tmp_path / "stores.json").at,  # type: ignore[union-attr]
    )
    assert names_in(wanted) == []


async def test_a_writers_key_may_do_its_work_and_no_more(settings: Make, s3_server: S3Server, tmp_path: Path) -> None:
    wanted = fresh(settings, "check-writer")
    await set_up(wanted, writer=WRITER)
    key = {"access_key": s3_server.writer_access_key, "secret_key": s3_server.writer_secret_key}
    found = await check_bucket(dataclasses.replace(wanted, **key), tmp_path / "stores.json")
    told = states(found)
    assert found.exit_code == 0
    assert not [line for line in found.lines if line.state not in ("ok", "off")]
    for name in ("put", "multipart", "abort", "versioning", "overwrite", "delete", "delete version", "settings"):
        assert told[name] == "ok", name
    assert found.left and told["left behind"] == "ok"
    assert set(found.left) == set(names_in(wanted))


async def test_with_a_set_up_bucket_the_owners_key_is_what_is_left_to_say(settings: Make, tmp_path: Path) -> None:
    wanted = fresh(settings, "check-owner")
    await set_up(wanted)
    found = await check_bucket(wanted, tmp_path / "stores.json")
    warned = {line.name for line in found.lines if line.state not in ("ok", "off")}
    assert warned == {"delete", "delete version", "settings"} and found.exit_code == 0
    assert names_in(wanted) == [], "versions and delete markers go too"


async def test_a_locked_bucket_says_for_how_long_and_what_is_left(settings: Make, tmp_path: Path) -> None:
    wanted = settings(bucket="check-locked", path="")
    await set_up(wanted, lock="governance", days=3)
    found = await check_bucket(wanted, tmp_path / "stores.json")
    (locked,) = [line for line in found.lines if line.name == "object lock"]
    assert (locked.state, locked.says) == ("ok", "GOVERNANCE, 3 days")
    assert states(found)["delete version"] == "ok" and found.left


async def test_what_is_published_is_seen_by_strangers_and_the_private_tree_is_not(
    settings: Make, tmp_path: Path
) -> None:
    wanted = fresh(settings, "check-public")
    await set_up(wanted, public=True)
    found = await check_bucket(wanted, tmp_path / "stores.json")
    (public,) = [line for line in found.lines if line.name == "public"]
    assert public.says == "open files: anybody can read"
    assert states(found)["private"] == "ok" and found.exit_code == 0


COSTLY = {
    "checksums": ("checksum", "checksum (parts)"), "missing is denied": ("head",), "range": ("range",),
    "no list": ("list",), "no uploads listed": ("open uploads",), "framing": ("trailer",), "elsewhere": ("region",),
}  # fmt: skip
WRONG = {
    "condition": "taken key", "condition on complete": "taken key (parts)", "private": "private",
    "list by strangers": "public list", "write by strangers": "public write",
}  # fmt: skip


async def test_what_a_store_neglects_at_a_cost_is_told_line_by_line(
    settings: Make, authority: Authority, tmp_path: Path
) -> None:
    with loose(authority, *COSTLY, "no delete") as store:
        found = await check_bucket(settings(endpoint_url=store.endpoint), tmp_path / "stores.json")
    expected = {name for names in COSTLY.values() for name in names} | {"versioning", "overwrite"}
    assert {line.name for line in found.lines if line.state == "warn"} == expected
    assert all(line.fix for line in found.lines if line.state == "warn")
    assert found.exit_code == 0 and not found.proof.of_checksums
    assert found.left and states(found)["delete"] == "ok"


async def test_what_loses_or_shows_archives_is_bad(settings: Make, authority: Authority, tmp_path: Path) -> None:
    with loose(authority, *WRONG) as store:
        found = await check_bucket(settings(endpoint_url=store.endpoint), tmp_path / "stores.json")
    assert {line.name for line in found.lines if line.state == "bad"} == set(WRONG.values())
    assert found.exit_code == 22 and found.left == ()
    assert not store.objects, "what strangers put goes as well"


@pytest.mark.parametrize(
    ("fault", "name", "code"),
    [
        ("no condition", "put", 22),
        ("missing is there", "head", 22),
        ("damaged", "get", 22),
        ("skew", "clock", 22),
        ("all 404", "put", 22),
        ("all 200", "head", 22),
        ("no key", "put", 33),
    ],
)
async def test_where_a_first_object_does_not_come_back_nothing_else_is_tried(
    settings: Make, authority: Authority, tmp_path: Path, fault: str, name: str, code: int
) -> None:
    with loose(authority, fault) as store:
        found = await check_bucket(settings(endpoint_url=store.endpoint), tmp_path / "stores.json")
    assert states(found)[name] == "bad" and found.exit_code == code, found.lines
    assert "multipart" not in states(found) and not found.proof.of_checksums


async def test_an_object_that_was_refused_and_kept_is_no_proof(
    settings: Make, authority: Authority, tmp_path: Path
) -> None:
    with loose(authority, "checksum, kept all the same") as store:
        found = await check_bucket(settings(endpoint_url=store.endpoint), tmp_path / "stores.json")
    assert states(found)["checksum"] == "warn" and not found.proof.of_checksums and not store.objects


async def test_what_is_not_tried_is_not_proved(settings: Make, authority: Authority, tmp_path: Path) -> None:
    with loose(authority) as store:
        wanted = settings(endpoint_url=store.endpoint, checksum_mode="none")
        found = await check_bucket(wanted, tmp_path / "stores.json")
    assert states(found)["checksum"] == "off" and not found.proof.of_checksums
    assert found.exit_code == 0 and found.left == ()


async def test_a_store_that_lost_its_virtue_loses_its_proof(
    settings: Make, authority: Authority, tmp_path: Path
) -> None:
    with loose(authority) as store:
        wanted = settings(endpoint_url=store.endpoint)
        assert (await check_bucket(wanted, tmp_path / "stores.json")).proof.of_checksums
        store.faults = frozenset(["checksums"])
        await check_bucket(wanted, tmp_path / "stores.json")
    proof = read_proof(wanted, tmp_path / "stores.json")
    assert proof is not None and not proof.of_checksums and (SYSTEM.now() - proof.at).total_seconds() < 60


async def test_nobody_there(settings: Make, free_port: Callable[[], int], tmp_path: Path) -> None:
    found = await check_bucket(settings(endpoint_url=f"http://127.0.0.1:{free_port()}"), tmp_path / "stores.json")
    assert found.exit_code == 22 and states(found)["put"] == "bad" and not found.proof.proved
