"""Whether a bucket keeps what it is given: put, look, read, list; wrong checksums, taken keys, uploads in parts."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from archiver.store.bucketcalls import Answer
from archiver.store.buckettrial import BAD, OFF, OK, WARN, Line, Trial, checksum, line
from archiver.store.files import to_base64

_REFUSED = frozenset(("BadDigest", "XAmzContentChecksumMismatch", "XAmzContentSHA256Mismatch", "InvalidDigest"))
_TAKEN = frozenset(("PreconditionFailed", "412", "ConditionalRequestConflict", "409"))
_WRONG = checksum(b"something else")
_READBACK = "nothing to do: uploads are read back, which doubles the bytes down (`archiver cost`)"


async def written(trial: Trial) -> list[Line]:
    """An object as uploads are: SHA-256, only where nothing lies. Without this nothing else can be tried."""
    answer = await trial.put(trial.key("a.warc.gz"), IfNoneMatch="*", Metadata={"sha256": "0" * 64})
    trial.first = answer
    if not answer.is_good:
        fix = "a key needs PutObject below the prefix" if answer.is_denied else ""
        return [line("put", BAD, str(answer), fix)]
    trial.versions_kept = answer.said.get("VersionId", "null") not in ("", "null")
    return [line("put", OK, "an object was put under a new key")]


async def looked_at(trial: Trial) -> list[Line]:
    """HEAD: size and metadata, and 404 for what is not there: the uploader lives on both."""
    answer = await trial.mine.ask("head_object", Key=trial.key("a.warc.gz"), ChecksumMode="ENABLED")
    if not answer.is_good:
        return [line("head", BAD, str(answer), "a key needs GetObject below the prefix")]
    right = answer.said["ContentLength"] == len(trial.content)
    if not right or answer.said.get("Metadata", {}).get("sha256") != "0" * 64:
        return [line("head", BAD, "size or metadata are not what was put: is this an S3 server?", "another endpoint")]
    if trial.settings.sse not in ("none", answer.said.get("ServerSideEncryption")):
        found = answer.said.get("ServerSideEncryption", "nothing of encryption")
        return [line("encryption", BAD, f"asked for {trial.settings.sse}, the store says {found}", "storage.sse")]
    if answer.said.get("ChecksumSHA256") == checksum(trial.content):
        trial.proved.add("headNamesSha256")
    missing = await trial.mine.ask("head_object", Key=trial.key("missing.warc.gz"))
    if missing.is_good:
        says = "the store says yes to any key, also to one that is not there"
        return [line("head", BAD, says, "another endpoint: this one answers without looking")]
    if not missing.fault_is_missing:
        says = f"a missing object is told as {missing.code}, not as 404"
        return [line("head", WARN, says, "allow ListBucket: without it S3 hides what is missing")]
    return [line("head", OK, "size and metadata came back; what is missing is told as missing")]


async def read(trial: Trial) -> list[Line]:
    """GET of all, and of a range, which replay straight from the bucket needs."""
    whole = await trial.mine.ask("get_object", Key=trial.key("a.warc.gz"))
    if not whole.is_good or whole.body != trial.content:
        says = str(whole) if not whole.is_good else "other bytes came back than were put"
        return [line("get", BAD, says, "a key needs GetObject; if it has that: another endpoint")]
    part = await trial.mine.ask("get_object", Key=trial.key("a.warc.gz"), Range="bytes=3-8")
    good = part.is_good and part.body == trial.content[3:9]
    ranged = line("range", OK, "six bytes out of the middle came back")
    if not good:
        says = str(part) if not part.is_good else f"asked for 6 bytes, got {len(part.body)}"
        ranged = line("range", WARN, says, "replay straight from the bucket does not work here; keep a local copy")
    return [line("get", OK, "the same bytes came back"), ranged]


async def listed(trial: Trial) -> list[Line]:
    key = trial.key("a.warc.gz")
    answer = await trial.mine.ask("list_objects_v2", Prefix=key.rpartition("/")[0] + "/")
    if not answer.is_good:
        return [line("list", WARN, str(answer), "allow ListBucket: `verify --remote` and pywb need lists")]
    found = [one for one in answer.said.get("Contents", ()) if one["Key"] == key]
    if not found or found[0]["Size"] != len(trial.content):
        return [line("list", WARN, "what was put is not listed yet", "`verify --remote` may miss what is new here")]
    return [line("list", OK, "the object is listed, with its size")]


async def kept_from_another(trial: Trial) -> list[Line]:
    """`If-None-Match: *` on a key that is taken."""
    answer = await trial.put(trial.key("a.warc.gz"), IfNoneMatch="*")
    if answer.code in _TAKEN:
        trial.proved.add("conditionalPut")
        return [line("taken key", OK, "a second put to the same key was refused (412)")]
    if answer.is_good:
        says = "If-None-Match is not heeded: a second put replaced the first"
        fix = "keep versioning on, so that the first stays; two crawlers must not share a collection"
        return [line("taken key", WARN if trial.versions_kept else BAD, says, fix)]
    return [line("taken key", BAD, str(answer), "the store takes no If-None-Match; uploads need it")]


async def checked(trial: Trial) -> list[Line]:
    """A wrong SHA-256 must be refused, and nothing must lie there afterwards."""
    if not trial.has_checksums:
        return [line("checksum", OFF, "checksumMode: none, no checksum is sent along", _READBACK)]
    key = trial.key("wrong.warc.gz")
    answer = await trial.put(key, ChecksumSHA256=_WRONG)
    if answer.is_good:
        says = "a wrong x-amz-checksum-sha256 was accepted: the store does not look at it"
        return [line("checksum", WARN, says, _READBACK)]
    if answer.code not in _REFUSED:
        return [line("checksum", WARN, f"a wrong SHA-256 was refused otherwise: {answer}", _READBACK)]
    there = await trial.mine.ask("head_object", Key=key)
    if there.is_good:
        trial.note(key, there)
        return [line("checksum", WARN, "a wrong SHA-256 was refused, but the object lies there", _READBACK)]
    trial.proved.add("putRefusesWrongSha256")
    return [line("checksum", OK, f"a wrong SHA-256 was refused ({answer.code}) and nothing was kept")]


async def sent_in_parts(trial: Trial) -> list[Line]:
    """An upload in parts: found while it is open, completed, kept from a taken key, aborted."""
    key = trial.key("parts.warc.gz")
    algorithm = {"ChecksumAlgorithm": "SHA256"} if trial.has_checksums else {}
    begun = await trial.mine.ask("create_multipart_upload", Key=key, **trial.settings.creation, **algorithm)
    if not begun.is_good:
        return [line("multipart", BAD, str(begun), "files over 64 MiB go up in parts; a key needs PutObject for them")]
    upload = begun.said["UploadId"]
    lines = [_found(await _open_uploads(trial, key), upload), *await _wrong_part(trial, key, upload)]
    done = await _complete(trial, key, upload)
    trial.note(key, done)
    if not done.is_good:
        await trial.mine.ask("abort_multipart_upload", Key=key, UploadId=upload)
        return [*lines, line("multipart", BAD, str(done), "uploads in parts must end with If-None-Match; see above")]
    head = await trial.mine.ask("head_object", Key=key, ChecksumMode="ENABLED")
    if head.said.get("ChecksumSHA256") == _composite(trial.content):
        trial.proved.add("headNamesComposite")
    lines.append(line("multipart", OK, "an upload in parts was completed"))
    return [*lines, *await _again(trial, key)]


async def _again(trial: Trial, key: str) -> list[Line]:
    """The same key once more: completion must be refused, and the upload can be aborted."""
    algorithm = {"ChecksumAlgorithm": "SHA256"} if trial.has_checksums else {}
    begun = await trial.mine.ask("create_multipart_upload", Key=key, **trial.settings.creation, **algorithm)
    upload = begun.said.get("UploadId", "")
    second = await _complete(trial, key, upload)
    trial.note(key, second)
    if second.is_good:
        says = "If-None-Match is not heeded when an upload in parts ends: the second replaced the first"
        taken = line("taken key (parts)", WARN if trial.versions_kept else BAD, says, "keep versioning on")
    elif second.code in _TAKEN:
        trial.proved.add("conditionalComplete")
        taken = line("taken key (parts)", OK, "a second upload to the same key was refused (412)")
    else:
        taken = line("taken key (parts)", WARN, str(second))
    other = await trial.mine.ask("create_multipart_upload", Key=trial.key("aborted.warc.gz"), **algorithm)
    uploads = [(key, upload), (trial.key("aborted.warc.gz"), other.said.get("UploadId", ""))]
    aborted = [await trial.mine.ask("abort_multipart_upload", Key=where, UploadId=one) for where, one in uploads if one]
    if not aborted[-1].is_good:
        fix = "allow AbortMultipartUpload, or let the lifecycle rule remove what is left (`archiver bucket init`)"
        return [taken, line("abort", WARN, str(aborted[-1]), fix)]
    return [taken, line("abort", OK, "an upload that was begun was aborted")]


async def _wrong_part(trial: Trial, key: str, upload: str) -> list[Line]:
    if not trial.has_checksums:
        return []
    wrong = await trial.mine.ask(
        "upload_part", Key=key, UploadId=upload, PartNumber=1, Body=trial.content, ChecksumSHA256=_WRONG
    )
    if wrong.code in _REFUSED:
        trial.proved.add("partRefusesWrongSha256")
        return [line("checksum (parts)", OK, f"a part with a wrong SHA-256 was refused ({wrong.code})")]
    says = "a part with a wrong SHA-256 was accepted" if wrong.is_good else str(wrong)
    return [line("checksum (parts)", WARN, says, _READBACK)]


async def _complete(trial: Trial, key: str, upload: str) -> Answer:
    checks = {"ChecksumSHA256": checksum(trial.content)} if trial.has_checksums else {}
    sent = await trial.mine.ask("upload_part", Key=key, UploadId=upload, PartNumber=1, Body=trial.content, **checks)
    if not sent.is_good:
        return sent
    parts = {"Parts": [{"PartNumber": 1, "ETag": sent.said["ETag"], **checks}]}
    return await trial.mine.ask(
        "complete_multipart_upload", Key=key, UploadId=upload, MultipartUpload=parts, IfNoneMatch="*"
    )


async def _open_uploads(trial: Trial, key: str) -> Answer:
    return await trial.mine.ask("list_multipart_uploads", Prefix=key)


def _found(answer: Answer, upload: str) -> Line:
    uploads: Sequence[Any] = answer.said.get("Uploads", ())
    if any(one["UploadId"] == upload for one in uploads):
        return line("open uploads", OK, "an upload that is not finished is listed, so that orphans are found")
    says = str(answer) if not answer.is_good else "an upload that is not finished is not listed"
    return line("open uploads", WARN, says, "orphans cost money: the lifecycle rule of `archiver bucket init`")


def _composite(content: bytes) -> str:
    """What S3 names as SHA-256 of an upload of one part."""
    return f"{to_base64(sha256(sha256(content).digest()).hexdigest())}-1"


async def sent_as_others_do(trial: Trial) -> list[Line]:
    """boto3's own default: a CRC32 behind the body, in aws-chunked framing. This program does not send that."""
    if not trial.settings.endpoint_url.startswith("https:"):
        return [line("trailer", OFF, "not over TLS: other tools send their checksum as a header here")]
    key = trial.key("trailer.warc.gz")
    sent = await trial.put(key, ChecksumSHA256=None, ChecksumAlgorithm="CRC32")
    if not sent.is_good:
        says = f"aws-chunked trailers are refused ({sent.code}); this program sends none"
        return [line("trailer", OFF, says, "other tools need request_checksum_calculation=when_required")]
    found = await trial.mine.ask("get_object", Key=key)
    if found.body != trial.content:
        says = "aws-chunked framing was stored as if it were the object; this program sends none"
        return [line("trailer", WARN, says, "other tools damage what they put; set when_required there")]
    return [line("trailer", OK, "aws-chunked trailers are understood (other tools send them)")]
