"""S3 in earnest: SeaweedFS over TLS, and an endpoint in front of it that fails in every way we know."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from botocore.exceptions import NoCredentialsError

from archiver.clock import ManualClock
from archiver.errors import StoreAuthError, StoreError, StoreSetupError
from archiver.store import S3Settings, S3Store, StoreConflict, StoreRejection
from archiver.store.s3client import make_client
from archiver.store.s3multipart import composite_sha256, part_size
from tests.servers.authority import Authority
from tests.servers.seaweed import S3Server
from tests.store.conftest import file_of
from tests.store.faulty import Plan, faulty

pytestmark = pytest.mark.system

KEY = "collections/news/archive/x.warc.gz"
PART = 5 << 20
Make = Callable[..., S3Settings]


@pytest.fixture
def plan(s3_server: S3Server, authority: Authority) -> Iterator[Plan]:
    with faulty(s3_server.endpoint, authority) as found:
        yield found


@pytest.fixture
async def opened(settings: Make) -> AsyncIterator[Callable[..., S3Store]]:
    """`opened(...)`: a store for a fresh prefix, closed at the end. `via` puts it behind a faulty endpoint."""
    stores: list[S3Store] = []

    def make(*, via: Plan | None = None, **more: object) -> S3Store:
        made = settings(**more) if via is None else settings(endpoint_url=via.endpoint, **more)
        stores.append(S3Store(made, clock=ManualClock()))
        return stores[-1]

    yield make
    for store in stores:
        await store.close()


@pytest.mark.parametrize("verify", ["auto", "readback", "checksum"])
@pytest.mark.parametrize("checksums", ["sha256", "none"])
async def test_multipart(opened: Callable[..., S3Store], tmp_path: Path, verify: str, checksums: str) -> None:
    data = os.urandom(PART + 1000)
    path, sha256 = file_of(tmp_path, data)
    store = opened(part_size=PART, single_limit=PART, verify_upload=verify, checksum_mode=checksums)
    if (verify, checksums) == ("checksum", "none"):
        with pytest.raises(StoreError, match="names no SHA-256; set verifyUpload: readback"):
            await store.put(KEY, path, sha256=sha256, metadata={})
        return
    stored = await store.put(KEY, path, sha256=sha256, metadata={})
    assert (stored.sha256, stored.size) == (sha256, len(data))
    assert await store.read(KEY) == data
    assert await store.put(KEY, path, sha256=sha256, metadata={}) == stored
    other, other_sha256 = file_of(tmp_path, data[::-1], "other")
    with pytest.raises(StoreConflict, match="another object"):
        await store.put(KEY, other, sha256=other_sha256, metadata={})


async def test_parts_are_not_sent_where_an_object_lies_already(
    opened: Callable[..., S3Store], plan: Plan, tmp_path: Path
) -> None:
    """F-03, and stores that complete an upload over whatever is there (Ceph)."""
    path, sha256 = file_of(tmp_path, os.urandom(PART + 1000))
    store = opened(via=plan, part_size=PART, single_limit=PART)
    await store.put(KEY, path, sha256=sha256, metadata={})
    plan.seen.clear()
    await store.put(KEY, path, sha256=sha256, metadata={})
    other, other_sha256 = file_of(tmp_path, os.urandom(PART + 1000), "other")
    with pytest.raises(StoreConflict, match="another object"):
        await store.put(KEY, other, sha256=other_sha256, metadata={})
    assert plan.seen == ["head", "get", "head"]


def test_parts_and_their_composite_hash(tmp_path: Path) -> None:
    assert part_size(100, 7) == 7
    assert part_size(10_000 * 8, 7) == 8
    path, _ = file_of(tmp_path, b"a" * 25)
    assert composite_sha256(path, 10).endswith("-3")


async def test_checksum_mode_trusts_what_the_store_proved(
    opened: Callable[..., S3Store], settings: Make, plan: Plan, tmp_path: Path
) -> None:
    path, sha256 = file_of(tmp_path, b"bytes")
    await opened(via=plan, verify_upload="auto").put(KEY, path, sha256=sha256, metadata={})
    assert "get" in plan.seen
    client = make_client(settings(), 1)
    server = client.list_buckets()["ResponseMetadata"]["HTTPHeaders"]["server"]
    client.close()
    for named, seen in ((server, ["put", "head"]), ("another", ["put", "head", "get"])):
        plan.seen.clear()
        store = opened(via=plan, verify_upload="auto", checksums_proved=True, proved_server=named)
        await store.put(KEY, path, sha256=sha256, metadata={})
        assert plan.seen == seen


@pytest.mark.parametrize(
    ("operation", "faults"),
    [
        ("put", ["503", "503", "503"]),
        ("put", ["reset-mid-request", "reset-mid-request"]),
        ("put", ["lost-response"]),
        ("put", ["duplicate"]),
        ("put", ["corrupt-request"]),
        ("get", ["corrupt-response"]),
        ("get", ["truncate-response", "503"]),
        ("get", ["stale-404", "stale-404"]),
        ("get", ["empty-200"]),
    ],
)
async def test_a_put_survives(
    opened: Callable[..., S3Store], plan: Plan, tmp_path: Path, operation: str, faults: list[str]
) -> None:
    path, sha256 = file_of(tmp_path, b"bytes of a WARC" * 1000)
    store = opened(via=plan)
    plan.faults[operation] = list(faults)
    stored = await store.put(KEY, path, sha256=sha256, metadata={})
    assert stored.sha256 == sha256
    assert await store.read(KEY) == path.read_bytes()
    assert plan.faults[operation] == []


@pytest.mark.parametrize(
    ("operation", "fault"),
    [
        ("create", "503"),
        ("part", "reset-mid-request"),
        ("part", "corrupt-request"),
        ("part", "lost-response"),
        ("complete", "200-error"),
        ("complete", "lost-response"),
        ("complete", "503"),
    ],
)
async def test_a_multipart_put_survives(
    opened: Callable[..., S3Store], plan: Plan, tmp_path: Path, operation: str, fault: str
) -> None:
    path, sha256 = file_of(tmp_path, os.urandom(PART + 1000))
    store = opened(via=plan, part_size=PART, single_limit=PART)
    plan.faults[operation] = [fault]
    assert (await store.put(KEY, path, sha256=sha256, metadata={})).sha256 == sha256
    assert plan.seen.count("part") == (3 if operation == "part" else 2)


async def test_a_damaged_object_is_sent_again(opened: Callable[..., S3Store], plan: Plan, tmp_path: Path) -> None:
    path, sha256 = file_of(tmp_path, b"bytes of a WARC")
    store = opened(via=plan, checksum_mode="none")
    plan.faults["put"] = ["corrupt-request"]
    await store.put(KEY, path, sha256=sha256, metadata={})
    assert await store.read(KEY) == b"bytes of a WARC"
    plan.always["put"] = "corrupt-request"
    with pytest.raises(StoreError, match="holds other bytes than were sent"):
        await store.put("other", path, sha256=sha256, metadata={})


async def test_a_store_that_only_says_yes_is_not_believed(
    opened: Callable[..., S3Store], plan: Plan, tmp_path: Path
) -> None:
    path, sha256 = file_of(tmp_path, b"bytes")
    plan.always["put"] = "empty-200"
    with pytest.raises(StoreError, match="404"):
        await opened(via=plan).put(KEY, path, sha256=sha256, metadata={})


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        ("403-denied", StoreAuthError, "refuses the key"),
        ("403-key", StoreAuthError, "InvalidAccessKeyId"),
        ("403-skew", StoreSetupError, "clock skew"),
        ("404-bucket", StoreSetupError, "does not exist.*storage.bucket"),
        ("404", StoreSetupError, "storage.endpointUrl"),
        ("301", StoreSetupError, "storage.region"),
        ("400-region", StoreSetupError, "storage.region"),
        ("400-any", StoreSetupError, r"storage.endpointUrl .* or storage.bucket"),
        ("501", StoreSetupError, "bucket check"),
        ("400-large", StoreRejection, "EntityTooLarge.*rolloverSize"),
        ("507", StoreError, "507"),
        ("503", StoreError, "503 SlowDown"),
        ("reset-mid-request", StoreError, "127.0.0.1"),
    ],
)
async def test_what_cannot_be_mended_is_said(
    opened: Callable[..., S3Store], plan: Plan, tmp_path: Path, fault: str, kind: type[StoreError], words: str
) -> None:
    path, sha256 = file_of(tmp_path, b"bytes")
    plan.always["put"] = fault
    with pytest.raises(StoreError, match=words) as caught:
        await opened(via=plan, attempts=3).put(KEY, path, sha256=sha256, metadata={})
    assert type(caught.value) is kind
    assert plan.seen.count("put") == (3 if fault in ("503", "reset-mid-request") else 1)


async def test_an_upload_that_is_given_up_is_aborted(
    opened: Callable[..., S3Store], plan: Plan, tmp_path: Path
) -> None:
    path, sha256 = file_of(tmp_path, os.urandom(PART + 1))
    plan.always["complete"] = "403-denied"
    with pytest.raises(StoreAuthError):
        await opened(via=plan, part_size=PART, single_limit=PART).put(KEY, path, sha256=sha256, metadata={})
    assert plan.seen[-1] == "delete"


async def test_wrong_key_no_key_no_server_and_an_unknown_root(
    opened: Callable[..., S3Store], tmp_path: Path, free_port: Callable[[], int]
) -> None:
    path, sha256 = file_of(tmp_path, b"bytes")
    for more, kind, words in (
        ({"secret_key": "wrong-secret-value"}, StoreAuthError, "SignatureDoesNotMatch"),
        ({"access_key": "AKUNKNOWN"}, StoreAuthError, "InvalidAccessKeyId"),
        ({"access_key": "", "secret_key": ""}, StoreAuthError, "no keys found"),
        ({"endpoint_url": f"https://127.0.0.1:{free_port()}", "attempts": 2}, StoreError, "127.0.0.1"),
        ({"ca_file": "", "attempts": 2}, StoreSetupError, "AWS_CA_BUNDLE"),
    ):
        with pytest.raises(kind, match=words) as caught:
            await opened(**more).put(KEY, path, sha256=sha256, metadata={})
        assert "wrong-secret-value" not in str(caught.value)


async def test_secrets_reach_no_log_and_no_repr(
    opened: Callable[..., S3Store], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    path, sha256 = file_of(tmp_path, b"bytes")
    with pytest.raises(StoreAuthError):
        await opened(secret_key="wrong-secret-value").put(KEY, path, sha256=sha256, metadata={})
    assert "wrong-secret-value" not in caplog.text
    assert "Authorization" not in caplog.text
    assert "wrong" not in repr(S3Settings(bucket="abc", secret_key="wrong", access_key="wrong", session_token="wrong"))


@pytest.mark.parametrize("asked", [False, True])
def test_instance_metadata_is_asked_only_when_wanted(asked: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[str] = []

    class Fetcher:
        def __init__(self, **_: object) -> None:
            """The SDK's arguments do not matter here."""

        def retrieve_iam_role_credentials(self) -> dict[str, str]:
            fetched.append("metadata")
            return {}

    monkeypatch.setattr("botocore.credentials.InstanceMetadataFetcher", Fetcher)
    client = make_client(S3Settings(bucket="abc", instance_metadata=asked), 1)
    with pytest.raises(NoCredentialsError):
        client.list_buckets()
    client.close()
    assert bool(fetched) is asked


@pytest.mark.parametrize("faults", [["503"], ["reset-mid-request"], ["truncate-response", "truncate-response", "503"]])
async def test_a_read_in_pieces_goes_on_where_it_broke(
    opened: Callable[..., S3Store], plan: Plan, tmp_path: Path, faults: list[str]
) -> None:
    data = os.urandom(5 << 20)
    path, sha256 = file_of(tmp_path, data)
    store = opened(via=plan)
    await store.put(KEY, path, sha256=sha256, metadata={})
    plan.faults["get"] = list(faults)
    assert b"".join([piece async for piece in store.chunks(KEY, 7)]) == data[7:]
    assert plan.faults["get"] == []


async def test_a_read_of_what_was_replaced_meanwhile_fails_and_does_not_mix(
    opened: Callable[..., S3Store], settings: Make, plan: Plan, tmp_path: Path
) -> None:
    path, sha256 = file_of(tmp_path, os.urandom(4 << 20))
    store = opened(via=plan)
    await store.put(KEY, path, sha256=sha256, metadata={})
    client = make_client(settings(), 1)
    plan.faults["get"] = ["truncate-response"]
    with pytest.raises(StoreError, match="get_object"):
        async for _ in store.chunks(KEY):
            client.put_object(Bucket=settings().bucket, Key=store.full_key(KEY), Body=os.urandom(4 << 20))
    client.close()


async def test_a_list_survives_and_says_what_it_cannot(
    opened: Callable[..., S3Store], plan: Plan, tmp_path: Path
) -> None:
    path, sha256 = file_of(tmp_path, b"bytes")
    store = opened(via=plan, attempts=2)
    await store.put(KEY, path, sha256=sha256, metadata={})
    plan.faults["get"] = ["503"]
    assert [one.key async for one in store.list("collections/news/archive/")] == [KEY]
    plan.always["get"] = "403-denied"
    with pytest.raises(StoreAuthError, match="list_objects_v2"):
        [one async for one in store.list()]
