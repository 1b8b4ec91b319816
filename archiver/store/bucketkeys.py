"""What a bucket is set to, and what our key and strangers may do in it."""

from __future__ import annotations

from archiver.store.bucketcalls import Answer
from archiver.store.buckettrial import BAD, INIT, OFF, OK, WARN, Line, Trial, line

_WRITER = "give the crawler a key with the writer's policy (`archiver bucket init --dry-run` prints it)"


async def versioned(trial: Trial) -> list[Line]:
    """Versioning by what a put answered, or by what the bucket says."""
    said = await trial.mine.ask("get_bucket_versioning")
    if trial.versions_kept or said.said.get("Status") == "Enabled":
        return [line("versioning", OK, "on: whatever is replaced or deleted stays as an older version")]
    if not said.is_good:
        return [line("versioning", WARN, f"puts answer no version, and {said}", INIT)]
    return [line("versioning", WARN, "off: what is replaced or deleted is gone", INIT)]


async def replaced(trial: Trial) -> list[Line]:
    """Put without a condition: whoever has the key needs not ask for one."""
    answer = await trial.put(trial.key("a.warc.gz"))
    if answer.is_good and answer.said.get("VersionId", "null") not in ("", "null"):
        return [line("overwrite", OK, "the key can put another object over one, and the older version stays")]
    if answer.is_good:
        return [line("overwrite", WARN, "whoever has this key can replace evidence without a trace", INIT)]
    return [line("overwrite", OK, "the key cannot replace an object")]


async def deleted(trial: Trial) -> list[Line]:
    """DELETE of an object, and of one version for good."""
    key = trial.key("delete.warc.gz")
    put = await trial.put(key)
    version = put.said.get("VersionId", "null")
    lines = []
    if trial.versions_kept and version != "null":
        gone = await trial.mine.ask("delete_object", Key=key, VersionId=version)
        lines.append(_delete_line("delete version", gone, "erase a version for good"))
    answer = await trial.mine.ask("delete_object", Key=key)
    if answer.is_good and answer.said.get("DeleteMarker"):
        trial.note(key, answer)
    return [_delete_line("delete", answer, "delete objects"), *lines]


def _delete_line(name: str, answer: Answer, does: str) -> Line:
    if answer.is_good:
        return line(name, WARN, f"this key may {does}; a crawler's key should not", _WRITER)
    if answer.is_denied:
        return line(name, OK, f"this key may not {does}")
    return line(name, OFF, f"neither done nor denied: {answer}")


async def loosened(trial: Trial) -> list[Line]:
    """Whether the key may change settings: it asks for what is so already."""
    said = await trial.mine.ask("get_bucket_versioning")
    if said.said.get("Status") != "Enabled":
        return [line("settings", OFF, "not tried: versioning is not on, so asking for it would change the bucket")]
    answer = await trial.mine.ask("put_bucket_versioning", VersioningConfiguration={"Status": "Enabled"})
    if answer.is_good:
        return [
            line("settings", WARN, "this key may change the bucket's settings; a crawler's key should not", _WRITER)
        ]
    return [line("settings", OK if answer.is_denied else OFF, f"this key does not change settings ({answer.code})")]


async def lifecycled(trial: Trial) -> list[Line]:
    answer = await trial.mine.ask("get_bucket_lifecycle_configuration")
    if not answer.is_good and answer.code != "NoSuchLifecycleConfiguration":
        return [line("lifecycle", OFF, f"cannot be seen: {answer}")]
    rules = [one for one in answer.said.get("Rules", ()) if one.get("Status") == "Enabled"]
    expiring = [one for one in rules if "Expiration" in one or "NoncurrentVersionExpiration" in one]
    if expiring:
        named = ", ".join(str(one.get("ID", "without a name")) for one in expiring)
        return [line("lifecycle", WARN, f"rules let objects or older versions expire: {named}", "is that meant?")]
    if any("AbortIncompleteMultipartUpload" in one for one in rules):
        return [line("lifecycle", OK, "uploads that never end are aborted by the store")]
    return [line("lifecycle", WARN, "uploads that never end stay, unseen, and cost money", INIT)]


async def locked(trial: Trial) -> list[Line]:
    """Object Lock: off is right unless somebody must be able to swear that nobody could delete."""
    answer = await trial.mine.ask("get_object_lock_configuration")
    found = answer.said.get("ObjectLockConfiguration", {})
    default = found.get("Rule", {}).get("DefaultRetention", {})
    if not answer.is_good or not found.get("ObjectLockEnabled"):
        unseen = answer.is_denied
        return [line("object lock", OFF, f"cannot be seen: {answer}" if unseen else "off: objects can be deleted")]
    if not default:
        return [line("object lock", OK, "on, without a default: nothing is locked by itself")]
    days = f"{default.get('Days') or default.get('Years', 0) * 365} days"
    if not trial.has_checksums:
        says = f"on ({days}), and such a bucket wants a checksum with every put"
        return [line("object lock", BAD, says, "checksumMode: sha256")]
    if default.get("Mode") == "COMPLIANCE":
        says = f"COMPLIANCE, {days}: nobody can delete anything before, no order to erase can be met"
        return [line("object lock", WARN, says, "governance mode, if that was not meant (new objects only)")]
    return [line("object lock", OK, f"{default.get('Mode')}, {days}")]


async def seen_by_strangers(trial: Trial) -> list[Line]:
    """GET, list and PUT without any key."""
    hidden = trial.key("a.warc.gz", private=True)
    put = await trial.put(hidden)
    if not put.is_good:
        return [line("private", BAD, str(put), "the key must be able to write below the private prefix too")]
    seen, opened = await _get(trial, hidden), await _get(trial, trial.key("a.warc.gz"))
    fix = f"take {trial.settings.private_path}/ out of what the bucket's policy and ACLs publish"
    lines = [line("private", OK, "restricted and dark files are refused to strangers")]
    if seen.is_good:
        lines = [line("private", BAD, "anybody can read restricted and dark files", fix)]
    elif not (seen.is_denied or seen.fault_is_missing):
        lines = [line("private", WARN, f"not known whether strangers are refused: {seen}", "try again")]
    says = "anybody can read" if opened.is_good else "not public: strangers are refused"
    lines.append(line("public", OK, f"open files: {says}"))
    listed = await trial.anybody.ask("list_objects_v2", Prefix=hidden)
    if listed.is_good:
        lines.append(line("public list", BAD, "anybody can list the bucket, private names too", fix))
    wrote = await trial.anybody.ask("put_object", Key=trial.key("stranger.warc.gz"), Body=trial.content)
    trial.note(trial.key("stranger.warc.gz"), wrote)
    if wrote.is_good:
        lines.append(line("public write", BAD, "anybody can write here", "take PutObject from everybody"))
    else:
        lines.append(line("public write", OK, "strangers cannot write"))
    return lines


async def _get(trial: Trial, key: str) -> Answer:
    return await trial.anybody.ask("get_object", Key=key)
