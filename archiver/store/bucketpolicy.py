"""What a bucket and its keys are set to, as data: the writer's policy, what the public may read, lifecycle, lock.

The documents are those of AWS (policy language version 2012-10-17), which Ceph, MinIO and SeaweedFS read too. Nothing
here does I/O.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from archiver.store.s3client import S3Settings

_OURS = "Archiver"
"""Statement ids and rule ids of ours begin so: what others set stays as it is."""
_PUBLIC = (
    "collections/*/archive/*", "collections/*/indexes/merged/*", "collections/*/README.txt",
    "collections/*/collection.json", "collections/*/manifest-sha256.txt",
    "collections/*/config.yaml", "collections/*/ledger.schema.json", "collections/*/check-ledger.sh",
)  # fmt: skip
_OBJECTS = ("s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts")
_LISTS = (
    "s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:GetBucketLocation", "s3:GetBucketVersioning",
    "s3:GetBucketObjectLockConfiguration", "s3:GetLifecycleConfiguration",
)  # fmt: skip
_NEVER_OBJECTS = (
    "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:BypassGovernanceRetention", "s3:PutObjectRetention",
    "s3:PutObjectLegalHold", "s3:PutObjectAcl", "s3:PutObjectVersionAcl",
)  # fmt: skip
# a name that Ceph 16 does not know (PutEncryptionConfiguration, say) makes it refuse the whole policy
_NEVER_BUCKET = (
    "s3:DeleteBucket", "s3:DeleteBucketPolicy", "s3:PutBucketPolicy", "s3:PutBucketAcl", "s3:PutBucketVersioning",
    "s3:PutBucketPublicAccessBlock", "s3:PutLifecycleConfiguration", "s3:PutBucketObjectLockConfiguration",
    "s3:PutReplicationConfiguration", "s3:PutBucketWebsite",
)  # fmt: skip


def writer_policy(settings: S3Settings, principal: str = "") -> dict[str, Any]:
    """What the crawler's key may do: put, get and list, and abort what it began; never delete, never loosen.

    `principal` (`arn:aws:iam::ACCOUNT:user/NAME`): the form that lies at the bucket; else the one that lies at the
    user. The denials stand there because another policy, or the store's own coarse rights, may grant the same.
    ListBucket has no prefix as condition: without it, HEAD of what is not there would say 403 instead of 404.
    """
    bucket, below = f"arn:aws:s3:::{settings.bucket}", _below(settings, "*")
    objects = [*_OBJECTS, *(["s3:PutObjectTagging"] if settings.tags else [])]
    statements = [
        ("Writes", "Allow", objects, [below]),
        ("Lists", "Allow", [*_LISTS], [bucket]),
        ("NeverDeletes", "Deny", [*_NEVER_OBJECTS], [f"{bucket}/*"]),
        ("NeverLoosens", "Deny", [*_NEVER_BUCKET], [bucket]),
    ]
    who = {"Principal": {"AWS": [principal]}} if principal else {}
    return _policy(
        [
            {"Sid": f"{_OURS}{sid}", "Effect": effect, **who, "Action": actions, "Resource": resources}
            for sid, effect, actions, resources in statements
        ]
    )


def public_policy(settings: S3Settings) -> dict[str, Any]:
    """Everybody reads open WARCs, their merged index and the texts that explain a collection: by name, without a list.

    Named one by one, so that ledgers, page lists and whatever comes later stay closed; the private tree is another.
    The indexes of single WARCs stay closed: unlike the merged one they have the lines of what is hidden.
    """
    resources = [_below(settings, pattern) for pattern in _PUBLIC]
    return _policy(
        [
            {"Sid": f"{_OURS}PublicReads", "Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject"],
             "Resource": resources}
        ]
    )  # fmt: skip


def joined(existing: Mapping[str, Any] | None, ours: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A bucket's policy with our statements renewed; those that are not ours stay."""
    found = (existing or {}).get("Statement", [])
    others = [one for one in _listed(found) if not str(one.get("Sid", "")).startswith(_OURS)]
    return _policy([*others, *(statement for policy in ours for statement in policy["Statement"])])


def lifecycle(settings: S3Settings, days: int, existing: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """Parts of uploads that never ended go after `days`; nothing else of ours ever expires.

    Old versions stay too. A rule that let them go would undo what versioning is for: whoever has the crawler's key
    can put an object over evidence, and must not be able to wait until the evidence is gone.
    """
    rule = {
        "ID": f"{_OURS}AbortIncompleteUploads",
        "Status": "Enabled",
        "Filter": {"Prefix": f"{settings.path}/" if settings.path else ""},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": days},
    }
    return {"Rules": [*(dict(one) for one in existing if not str(one.get("ID", "")).startswith(_OURS)), rule]}


def retention(mode: str, days: int) -> dict[str, Any]:
    """`mode` governance or compliance, for each object that is put, `days` from then on."""
    return {
        "ObjectLockEnabled": "Enabled",
        "Rule": {"DefaultRetention": {"Mode": mode.upper(), "Days": days}},
    }


def public_block(*, with_policy: bool) -> dict[str, bool]:
    """No access through ACLs in any case; no public policy unless one was asked for."""
    return {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": not with_policy,
        "RestrictPublicBuckets": not with_policy,
    }


def _below(settings: S3Settings, pattern: str) -> str:
    inside = f"{settings.path}/{pattern}" if settings.path else pattern
    return f"arn:aws:s3:::{settings.bucket}/{inside}"


def _policy(statements: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [dict(one) for one in statements]}


def _listed(found: Any) -> list[Mapping[str, Any]]:
    """A policy's statements; a single one may stand there without its list."""
    return [found] if isinstance(found, Mapping) else list(found)
