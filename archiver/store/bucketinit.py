"""`bucket init`: a bucket set up step by step; each step says what was asked and what the store answered.

Every step looks first and asks only for what is not so already: a second run changes nothing.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from archiver.clock import SYSTEM, Clock
from archiver.errors import StoreAuthError, StoreError
from archiver.store.bucketcalls import Answer, BucketCalls
from archiver.store.bucketpolicy import joined, lifecycle, public_block, public_policy, retention, writer_policy
from archiver.store.buckettrial import Trial
from archiver.store.s3client import S3Settings

DONE, SO_ALREADY, UNSUPPORTED, FAILED, PLANNED = "done", "so already", "not supported", "failed", "would ask"
ABORT_DAYS = 7
_BLOCK = "public access"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What to set up. `lock`: none, governance or compliance, for `days`; `public`: open files for everybody;
    `writer`: the crawler's principal, for stores that keep a key's rights at the bucket."""

    lock: str = ""
    days: int = 0
    public: bool = False
    writer: str = ""
    abort_days: int = ABORT_DAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """`operation` and `request` are what S3 calls them; `answer` is the store's word, or why nothing was asked."""

    name: str
    operation: str
    request: Mapping[str, Any] = field(default_factory=dict)
    outcome: str
    answer: str = ""

    @property
    def is_bad(self) -> bool:
        return self.outcome == FAILED


@dataclass(frozen=True, slots=True, kw_only=True)
class _Setting:
    """One setting: how it is read, what there is when it was never set, and what to ask for given what is there."""

    name: str
    read: str
    write: str
    nothing: str
    wanted: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    is_so: Callable[[Mapping[str, Any], Mapping[str, Any]], bool]


async def init_bucket(
    settings: S3Settings, wish: Wish, *, dry: bool = False, clock: Clock = SYSTEM
) -> AsyncIterator[Step]:
    """Steps as they are made. `dry`: nothing is sent. A bucket that cannot be made ends it."""
    calls = BucketCalls(settings, clock=clock)
    try:
        made = _planned_creation(settings, wish) if dry else await _create(calls, wish)
        yield made
        if made.is_bad:
            return
        for setting in _settings(settings, wish):
            if dry:
                yield _planned(setting)
            elif setting.name == _BLOCK:
                yield await _blocked(calls, setting, wish)
            else:
                yield await _set(calls, setting)
    finally:
        calls.close()


def exit_code(steps: list[Step]) -> int:
    """33 when the key may not, 22 when anything else failed, else 0."""
    if any(step.is_bad and step.answer.startswith("denied") for step in steps):
        return StoreAuthError.exit_code
    return StoreError.exit_code if any(step.is_bad for step in steps) else 0


def _creation(settings: S3Settings, wish: Wish) -> dict[str, Any]:
    """Only AWS has one endpoint for many regions; what others call a location is theirs to choose."""
    request: dict[str, Any] = {"ObjectLockEnabledForBucket": True} if wish.lock else {}
    if not settings.endpoint_url and settings.region != "us-east-1":
        request["CreateBucketConfiguration"] = {"LocationConstraint": settings.region}
    return request


def _planned_creation(settings: S3Settings, wish: Wish) -> Step:
    return _step("bucket", "create_bucket", _creation(settings, wish), PLANNED, "unless it is there")


async def _create(calls: BucketCalls, wish: Wish) -> Step:
    if (await calls.ask("head_bucket")).is_good:
        return _step("bucket", "head_bucket", {}, SO_ALREADY, "the bucket is there")
    request = _creation(calls.settings, wish)
    answer = await calls.ask("create_bucket", **request)
    if answer.code == "BucketAlreadyOwnedByYou":
        return _step("bucket", "create_bucket", request, SO_ALREADY, "the bucket is there")
    return _told("bucket", "create_bucket", request, answer)


def _settings(settings: S3Settings, wish: Wish) -> list[_Setting]:
    """In this order: versioning before the lock that needs it; a public policy after the block that would refuse it.
    A policy for the writer alone comes before, since Ceph 16 takes any that allows something for a public one."""
    found = [_versioning(), _lifecycle(settings, wish), _block(wish)]
    policies = [
        *([writer_policy(settings, wish.writer)] if wish.writer else []),
        *([public_policy(settings)] if wish.public else []),
    ]
    if policies:
        found.insert(len(found) if wish.public else len(found) - 1, _policy(policies))
    if wish.lock:
        found.append(_lock(wish))
    return found


def _versioning() -> _Setting:
    wanted = {"VersioningConfiguration": {"Status": "Enabled"}}
    return _Setting(
        name="versioning", read="get_bucket_versioning", write="put_bucket_versioning", nothing="",
        wanted=lambda found: wanted,
        is_so=lambda found, asked: found.get("Status") == "Enabled",
    )  # fmt: skip


def _lifecycle(settings: S3Settings, wish: Wish) -> _Setting:
    return _Setting(
        name="lifecycle", read="get_bucket_lifecycle_configuration", write="put_bucket_lifecycle_configuration",
        nothing="NoSuchLifecycleConfiguration",
        wanted=lambda found: {"LifecycleConfiguration": lifecycle(settings, wish.abort_days, found.get("Rules", ()))},
        is_so=lambda found, asked: _rules(found) == _rules(asked["LifecycleConfiguration"]),
    )  # fmt: skip


def _block(wish: Wish) -> _Setting:
    wanted = {"PublicAccessBlockConfiguration": public_block(with_policy=wish.public)}
    return _Setting(
        name=_BLOCK, read="get_public_access_block", write="put_public_access_block",
        nothing="NoSuchPublicAccessBlockConfiguration",
        wanted=lambda found: wanted,
        is_so=lambda found, asked: _blocks(found) == _blocks(wanted),
    )  # fmt: skip


def _policy(policies: list[dict[str, Any]]) -> _Setting:
    def document(found: Mapping[str, Any]) -> dict[str, Any]:
        return joined(json.loads(found["Policy"]) if found.get("Policy") else None, policies)

    def is_so(found: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
        there = json.loads(found["Policy"]) if found.get("Policy") else {}
        return bool(_comparable(there) == _comparable(json.loads(asked["Policy"])))

    return _Setting(
        name="policy", read="get_bucket_policy", write="put_bucket_policy", nothing="NoSuchBucketPolicy",
        wanted=lambda found: {"Policy": json.dumps(document(found))},
        is_so=is_so,
    )  # fmt: skip


def _lock(wish: Wish) -> _Setting:
    wanted = {"ObjectLockConfiguration": retention(wish.lock, wish.days)}
    return _Setting(
        name="object lock", read="get_object_lock_configuration", write="put_object_lock_configuration",
        nothing="ObjectLockConfigurationNotFoundError",
        wanted=lambda found: wanted,
        is_so=lambda found, asked: _default(found) == _default(wanted),
    )  # fmt: skip


def _planned(setting: _Setting) -> Step:
    return _step(setting.name, setting.write, setting.wanted({}), PLANNED, "joined with what is there")


async def _blocked(calls: BucketCalls, setting: _Setting, wish: Wish) -> Step:
    """Ceph 16 refuses every put under BlockPublicAcls: where that is so, it is taken back. IgnorePublicAcls says as
    much: an ACL opens nothing."""
    trial = Trial(calls.settings, calls.clock)
    try:
        could = (await trial.put(trial.key("before.warc.gz"))).is_good
        step = await _set(calls, setting)
        if step.outcome != DONE or not could or not (await trial.put(trial.key("after.warc.gz"))).is_denied:
            return step
        request = {**public_block(with_policy=wish.public), "BlockPublicAcls": False}
        asked = {"PublicAccessBlockConfiguration": request}
        again = _told(setting.name, setting.write, asked, await calls.ask(setting.write, **asked))
        says = "without BlockPublicAcls: this store refuses every put under it"
        return again if again.is_bad else dataclasses.replace(again, answer=says)
    finally:
        await trial.clean()
        trial.close()


async def _set(calls: BucketCalls, setting: _Setting) -> Step:
    before = await calls.ask(setting.read)
    if not before.is_good and not before.is_unknown and before.code != setting.nothing:
        return _told(setting.name, setting.read, {}, before)  # what is there is not known: it would be lost
    found = {name: value for name, value in before.said.items() if name != "ResponseMetadata"}
    request = setting.wanted(found)
    if before.is_good and setting.is_so(found, request):
        return _step(setting.name, setting.read, request, SO_ALREADY)
    return _told(setting.name, setting.write, request, await calls.ask(setting.write, **request))


def _told(name: str, operation: str, request: Mapping[str, Any], answer: Answer) -> Step:
    if answer.is_good:
        return _step(name, operation, request, DONE)
    if answer.is_unknown:
        return _step(name, operation, request, UNSUPPORTED, str(answer))
    said = f"denied: {answer}" if answer.is_denied else str(answer)
    return _step(name, operation, request, FAILED, said)


def _step(name: str, operation: str, request: Mapping[str, Any], outcome: str, answer: str = "") -> Step:
    return Step(name=name, operation=operation, request=request, outcome=outcome, answer=answer)


def _blocks(found: Mapping[str, Any]) -> dict[str, bool]:
    """What decides: with IgnorePublicAcls the fourth, BlockPublicAcls, opens nothing when it is off."""
    block = found.get("PublicAccessBlockConfiguration", {})
    return {name: bool(block.get(name)) for name in ("IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")}


def _rules(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Lifecycle rules alike: older stores give a prefix back outside of its filter."""
    rules = [dict(one) for one in found.get("Rules", ())]
    return [{"Filter": {"Prefix": one.pop("Prefix")}, **one} if "Prefix" in one else one for one in rules]


def _default(found: Mapping[str, Any]) -> tuple[Any, Any]:
    """Mode and days of a lock's default; stores add keys of their own."""
    default = found.get("ObjectLockConfiguration", {}).get("Rule", {}).get("DefaultRetention", {})
    return default.get("Mode"), default.get("Days")


def _comparable(policy: Any) -> Any:
    """Stores give a policy back with lists of one as single words, and in their own order."""
    if isinstance(policy, Mapping):
        return {name: _comparable(value) for name, value in policy.items()}
    if isinstance(policy, list):
        alike = sorted((_comparable(one) for one in policy), key=lambda one: json.dumps(one, sort_keys=True))
        return alike[0] if len(alike) == 1 else alike
    return policy
