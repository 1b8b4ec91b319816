"""`bucket init` on SeaweedFS: each step told, a second run changes nothing, what others set stays."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from archiver.store import S3Settings, S3Store
from archiver.store.bucketinit import Step, Wish, exit_code, init_bucket
from archiver.store.s3client import make_client
from tests.servers.authority import Authority
from tests.store.conftest import file_of
from tests.store.loose import loose

pytestmark = pytest.mark.system

Make = Callable[..., S3Settings]
EVERYTHING = Wish(lock="governance", days=2, public=True, writer="arn:aws:iam::000000000000:user/writer")


async def steps(settings: S3Settings, wish: Wish, *, dry: bool = False) -> list[Step]:
    return [step async for step in init_bucket(settings, wish, dry=dry)]


@pytest.fixture
def client(settings: Make) -> Iterator[Any]:
    made = make_client(settings(), 1)
    yield made
    made.close()


async def test_everything_is_done_once(settings: Make, client: Any) -> None:
    wanted = settings(bucket="init-all")
    first = await steps(wanted, EVERYTHING)
    outcomes = {step.name: step.outcome for step in first}
    assert outcomes == {
        "bucket": "done", "versioning": "so already", "lifecycle": "done", "public access": "not supported",
        "policy": "done", "object lock": "done",
    }  # fmt: skip
    assert exit_code(first) == 0, "what a store does not know is told, and no failure"
    again = await steps(wanted, EVERYTHING)
    assert {step.outcome for step in again} == {"so already", "not supported"}
    lock = client.get_object_lock_configuration(Bucket="init-all")["ObjectLockConfiguration"]
    assert lock["Rule"]["DefaultRetention"] == {"Mode": "GOVERNANCE", "Days": 2}


async def test_a_dry_run_makes_no_bucket(settings: Make, client: Any) -> None:
    found = await steps(settings(bucket="init-dry"), EVERYTHING, dry=True)
    assert {step.outcome for step in found} == {"would ask"} and len(found) == 6
    assert "init-dry" not in [one["Name"] for one in client.list_buckets()["Buckets"]]


async def test_without_lock_there_is_none_and_one_that_is_there_stays(settings: Make, client: Any) -> None:
    await steps(settings(bucket="init-bare"), Wish())
    with pytest.raises(client.exceptions.ClientError, match="ObjectLockConfigurationNotFound"):
        client.get_object_lock_configuration(Bucket="init-bare")
    await steps(settings(bucket="init-kept"), Wish(lock="governance", days=2))
    await steps(settings(bucket="init-kept"), Wish())
    kept = client.get_object_lock_configuration(Bucket="init-kept")["ObjectLockConfiguration"]
    assert kept["Rule"]["DefaultRetention"]["Days"] == 2


async def test_statements_of_others_stay(settings: Make, client: Any) -> None:
    client.create_bucket(Bucket="init-shared")
    theirs = {"Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteBucket",
              "Resource": "arn:aws:s3:::init-shared"}  # fmt: skip
    client.put_bucket_policy(Bucket="init-shared", Policy=json.dumps({"Version": "2012-10-17", "Statement": [theirs]}))
    for _ in range(2):
        await steps(settings(bucket="init-shared"), Wish(public=True))
    found = json.loads(client.get_bucket_policy(Bucket="init-shared")["Policy"])["Statement"]
    assert sorted(one["Sid"] for one in found) == ["ArchiverPublicReads", "Theirs"]


async def test_a_block_that_blocks_the_owner_is_taken_back_in_part(settings: Make, authority: Authority) -> None:
    """As Ceph RGW 16 does with BlockPublicAcls."""
    with loose(authority, "block blocks all") as store:
        wanted = settings(endpoint_url=store.endpoint)
        block = [step for step in await steps(wanted, Wish()) if step.name == "public access"]
        assert [(one.outcome, one.is_bad) for one in block] == [("done", False)]
        assert "without BlockPublicAcls" in block[0].answer
        assert b"<IgnorePublicAcls>true" in store.block and b"<BlockPublicAcls>false" in store.block
        again = [step.outcome for step in await steps(wanted, Wish()) if step.name == "public access"]
        assert again == ["so already"] and not store.objects


async def test_a_rule_that_an_older_store_gives_back_its_way_is_so_already(
    settings: Make, authority: Authority
) -> None:
    """Ceph RGW 16 has the prefix outside of the filter."""
    with loose(authority, "old lifecycle") as store:
        wanted = settings(endpoint_url=store.endpoint)
        found = [step.outcome for _ in range(2) for step in await steps(wanted, Wish()) if step.name == "lifecycle"]
    assert found == ["done", "so already"]


async def test_a_store_that_refuses_or_knows_nothing(settings: Make, authority: Authority) -> None:
    with loose(authority, "no key") as store:
        found = await steps(settings(endpoint_url=store.endpoint), Wish())
    assert [step.name for step in found] == ["bucket"] and exit_code(found) == 33
    with loose(authority, "all 404") as store:
        found = await steps(settings(endpoint_url=store.endpoint), Wish())
    assert exit_code(found) == 22
    with loose(authority) as store:
        found = await steps(settings(endpoint_url=store.endpoint), Wish())
    assert {step.outcome for step in found[1:]} == {"not supported"} and exit_code(found) == 0


async def test_compliance_is_asked_for_and_nobody_can_erase(settings: Make, client: Any, tmp_path: Path) -> None:
    """What `--lock compliance --accept-no-erasure` promises: not even who may bypass governance deletes."""
    wanted = settings(bucket="in-compliance", path="")
    made = await steps(wanted, Wish(lock="compliance", days=1))
    assert [step for step in made if step.is_bad] == []
    (asked,) = [step.request for step in made if step.name == "object lock"]
    default = {"Mode": "COMPLIANCE", "Days": 1}
    assert asked["ObjectLockConfiguration"]["Rule"]["DefaultRetention"] == default
    found = client.get_object_lock_configuration(Bucket="in-compliance")["ObjectLockConfiguration"]
    assert found["Rule"]["DefaultRetention"] | default == found["Rule"]["DefaultRetention"]
    path, sha256 = file_of(tmp_path, b"bytes")
    store = S3Store(wanted)
    await store.put("key", path, sha256=sha256, metadata={})
    await store.close()
    head = client.head_object(Bucket="in-compliance", Key="key")
    assert head["ObjectLockMode"] == "COMPLIANCE"
    with pytest.raises(client.exceptions.ClientError):
        client.delete_object(
            Bucket="in-compliance", Key="key", VersionId=head["VersionId"], BypassGovernanceRetention=True
        )
    again = await steps(wanted, Wish(lock="compliance", days=1))
    assert [step.outcome for step in again if step.name == "object lock"] == ["so already"]
