"""Where closed files go besides the local folder: an S3 bucket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from archiver.config.kinds import FLAG, SECONDS, SIZE, TEXT, choice, whole
from archiver.config.schema import key
from archiver.config.secret import Secret
from archiver.config.special import BUCKET, ENDPOINT, PREFIX, PRIVATE, REGION, SECRET, TAGS

_NOTHING = Secret("")


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """An S3 store. Without keys the AWS SDK's usual chain is asked, instance metadata only when `instanceMetadata`."""

    endpoint_url: str = key(
        ENDPOINT, "The server, `https://HOST[/BUCKET[/PREFIX]]`; empty = AWS. `STORE_ENDPOINT_URL`", default=""
    )
    bucket: str = key(BUCKET, "The bucket, when the endpoint does not name it. `STORE_BUCKET`", default="")
    path: str = key(PREFIX, "Prefix of all keys. `STORE_PATH`", default="")
    private_path: str = key(
        PRIVATE, "Part of the key of restricted and dark files, behind `path`, so that what publishes `collections/*` "
        "publishes none of them", default="private",
    )  # fmt: skip
    region: str = key(REGION, "`STORE_REGION`", default="us-east-1")
    # (ruff takes any default that is not a builtin for mutable)
    access_key: Secret = key(SECRET, "`STORE_ACCESS_KEY`", default=_NOTHING, secret=True)  # noqa: RUF009
    secret_key: Secret = key(SECRET, "`STORE_SECRET_KEY`", default=_NOTHING, secret=True)  # noqa: RUF009
    session_token: Secret = key(SECRET, "`STORE_SESSION_TOKEN`", default=_NOTHING, secret=True)  # noqa: RUF009
    instance_metadata: bool = key(FLAG, "Whether a cloud machine's own role may be asked for keys", default=False)
    ca_file: str = key(TEXT, "PEM file of roots for the store. `AWS_CA_BUNDLE`", default="")
    verify_upload: str = key(
        choice("auto", "readback", "checksum"),
        "How an upload is proved: read back and hash, or the store's own SHA-256; `auto` reads back unless the store "
        "has proved that it refuses a wrong one",
        default="auto",
    )
    checksum_mode: str = key(
        choice("sha256", "none"), "Whether `x-amz-checksum-sha256` is sent along", default="sha256"
    )
    sse: str = key(
        choice("none", "AES256", "aws:kms"), "Encryption at rest that is asked for with every object", default="none"
    )
    sse_kms_key_id: str = key(TEXT, "The key for `sse: aws:kms`; empty = the account's own", default="")
    storage_class: str = key(TEXT, "Such as STANDARD_IA; empty = the bucket's own", default="")
    tags: tuple[tuple[str, str], ...] = key(
        TAGS, "Object tags, at most 10, such as `project: news`; the key then needs `s3:PutObjectTagging`", default=()
    )
    keep_local: bool = key(
        FLAG, "Whether WARCs stay here once the store was seen to hold them; indexes and ledgers always do",
        default=True,
    )  # fmt: skip
    spool_limit: int = key(
        SIZE, "How much may wait to be uploaded before nothing new is fetched; 0 = as much as there is", default=0,
        unit="bytes",
    )  # fmt: skip
    hold_limit: float = key(
        SECONDS, "How long a run waits for room (`spoolLimit`, `diskUtilization`) while nothing can be uploaded",
        default=3600.0, unit="s",
    )  # fmt: skip
    uploads: int = key(whole(low=1, high=32), "Uploads at a time", default=4)
    attempts: int = key(whole(low=1, high=20), "Tries of one request", default=6)
    patience: float = key(
        SECONDS, "How long the end of a run goes on while the store gives no sign of life (`save`: 60 s at most); what "
        "is not up then waits for `archiver upload` or the next run", default=300.0, unit="s",
    )  # fmt: skip
    part_size: int = key(SIZE, "Part of a multipart upload", default=16 << 20, unit="bytes")

    def options(self) -> dict[str, Any]:
        """Keyword arguments for `archiver.store.s3.S3Settings`, secrets revealed."""
        ours = ("uploads", "patience", "keep_local", "spool_limit", "hold_limit")
        named = {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in ours}
        return {name: one.reveal() if isinstance(one, Secret) else one for name, one in named.items()}
