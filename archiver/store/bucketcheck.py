"""`bucket check`: a bucket proves itself by doing, on test objects that are removed where the key may."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path

from archiver.clock import SYSTEM, Clock
from archiver.errors import StoreAuthError, StoreError
from archiver.store import bucketkeys, bucketobjects
from archiver.store.buckettrial import BAD, OFF, OK, WARN, Line, Trial, line
from archiver.store.proofs import Proof, certificate_of, write_proof
from archiver.store.s3client import S3Settings

_SKEW_NOTED, _SKEW_REFUSED = 60.0, 900.0  # S3 refuses signatures that are 15 minutes off
_FIRST: tuple[Callable[[Trial], Awaitable[list[Line]]], ...] = (
    bucketobjects.looked_at, bucketobjects.read, bucketobjects.listed,
)  # fmt: skip
_THEN: tuple[Callable[[Trial], Awaitable[list[Line]]], ...] = (
    bucketobjects.kept_from_another,
    bucketobjects.checked,
    bucketobjects.sent_in_parts,
    bucketobjects.sent_as_others_do,
    bucketkeys.versioned,
    bucketkeys.lifecycled,
    bucketkeys.locked,
    bucketkeys.replaced,
    bucketkeys.deleted,
    bucketkeys.loosened,
    bucketkeys.seen_by_strangers,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """`lines` in the order of trying; `left`: full keys of test objects that this key may not remove."""

    lines: tuple[Line, ...]
    left: tuple[str, ...]
    proof: Proof
    exit_code: int


async def check_bucket(settings: S3Settings, proofs: Path, *, clock: Clock = SYSTEM) -> Checked:
    """Try everything, and keep in `proofs` what was proved (or no longer is). Raises DiskError."""
    trial = Trial(settings, clock)
    try:
        certificate = await asyncio.to_thread(certificate_of, settings)
        lines, code = await _tried(trial)
        await trial.clean()
    finally:
        trial.close()
    if trial.left:
        says = f"{len(trial.left)} test objects stay: this key cannot delete them"
        lines.append(line("left behind", OK, says, "remove them with another key: " + " ".join(trial.left)))
    proof = Proof(
        at=clock.now(), server=trial.first.headers.get("server", ""), certificate=certificate,
        proved=frozenset(trial.proved),
    )  # fmt: skip
    await asyncio.to_thread(write_proof, settings, proofs, proof)
    return Checked(lines=tuple(lines), left=tuple(trial.left), proof=proof, exit_code=code)


async def _tried(trial: Trial) -> tuple[list[Line], int]:
    """Lines and exit code. Where the first object does not come back as it went, the rest would mean nothing."""
    lines = await _here(trial)
    lines += await bucketobjects.written(trial)
    if lines[-1].state == BAD:
        return lines, _refused(trial)
    for check in _FIRST:
        lines += await check(trial)
    if not any(one.state == BAD for one in lines):
        for check in _THEN:
            lines += await check(trial)
    return lines, StoreError.exit_code if any(one.state == BAD for one in lines) else 0


def _refused(trial: Trial) -> int:
    """The key's fault, or anything else's."""
    fault = trial.first.fault
    is_auth = fault is not None and isinstance(fault.error, StoreAuthError)
    return StoreAuthError.exit_code if is_auth else StoreError.exit_code


async def _here(trial: Trial) -> list[Line]:
    """The endpoint, the bucket's region, and the store's clock, by one HEAD of the bucket."""
    answer = await trial.mine.ask("head_bucket")
    lines = [_reached(trial, answer.headers.get("server", ""))]
    region = answer.headers.get("x-amz-bucket-region", "")
    if region and region != trial.settings.region:
        says = f"the bucket is in {region}, the configuration says {trial.settings.region}"
        lines.append(line("region", WARN, says, f"storage.region: {region} (STORE_REGION)"))
    elif region:
        lines.append(line("region", OK, region))
    return [*lines, _clock(trial, answer.headers.get("date", ""))]


def _reached(trial: Trial, server: str) -> Line:
    where = trial.settings.endpoint_url or f"AWS S3 ({trial.settings.region})"
    named = f"{where} ({server})" if server else where
    if trial.settings.endpoint_url.startswith("http:"):
        return line("endpoint", WARN, f"{named}: no TLS: whoever is on the way sees the archives", "https")
    return line("endpoint", OK, named)


def _clock(trial: Trial, date: str) -> Line:
    try:
        seconds = abs((parsedate_to_datetime(date) - trial.clock.now()).total_seconds())
    except (ValueError, TypeError):
        return line("clock", OFF, "the store tells no time")
    if seconds > _SKEW_NOTED:
        state = BAD if seconds > _SKEW_REFUSED else WARN
        return line("clock", state, f"this machine and the store differ by {seconds:.0f} s", "set the clock (NTP)")
    return line("clock", OK, "this machine and the store agree within a minute")
