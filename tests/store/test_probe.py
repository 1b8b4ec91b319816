"""What `doctor` learns of a store, in front of a real one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from archiver.errors import StoreAuthError, StoreError, StoreSetupError
from archiver.store import S3Settings
from archiver.store.probe import probe
from tests.servers.authority import Authority
from tests.servers.seaweed import S3Server
from tests.store.faulty import Plan, faulty
from tests.store.loose import loose

Make = Callable[..., S3Settings]


@pytest.fixture
def plan(s3_server: S3Server, authority: Authority) -> Iterator[Plan]:
    with faulty(s3_server.endpoint, authority) as found:
        yield found


@pytest.mark.parametrize("more", [{}, {"path": ""}, {"checksum_mode": "none"}], ids=["prefix", "bare", "no checksum"])
async def test_a_store_that_works(settings: Make, plan: Plan, more: dict[str, str]) -> None:
    assert await probe(settings(endpoint_url=plan.endpoint, **more)) == ""
    assert plan.seen == ["put", "head", "head", "get", "get", "delete"]


@pytest.mark.parametrize(
    ("operation", "fault", "kind", "words"),
    [
        ("put", "403-denied", StoreAuthError, "put_object .*storage.accessKey"),
        ("put", "404-bucket", StoreSetupError, "storage.bucket"),
        ("put", "404", StoreSetupError, "storage.endpointUrl"),
        ("put", "empty-200", StoreError, "head_object .*404"),
        ("head", "403-denied", StoreAuthError, "head_object"),
        ("get", "corrupt-response", StoreError, "other bytes"),
    ],
)
async def test_what_fails_is_named(
    settings: Make, plan: Plan, operation: str, fault: str, kind: type[StoreError], words: str
) -> None:
    plan.always[operation] = fault
    with pytest.raises(StoreError, match=words) as caught:
        await probe(settings(endpoint_url=plan.endpoint))
    assert type(caught.value) is kind


@pytest.mark.parametrize("fault", ["all 200", "all 404", "missing is there", "damaged"])
async def test_a_server_that_answers_alike_is_no_store(settings: Make, authority: Authority, fault: str) -> None:
    with loose(authority, fault) as store:
        with pytest.raises(StoreError):
            await probe(settings(endpoint_url=store.endpoint))
        assert not store.objects


async def test_a_key_that_may_not_delete_is_good_enough(settings: Make, plan: Plan) -> None:
    plan.always["delete"] = "403-denied"
    remains = await probe(settings(endpoint_url=plan.endpoint, path="pre"))
    assert remains.startswith("pre/collections/archiver-check-") and "delete_object" in remains
