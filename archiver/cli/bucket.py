"""`archiver bucket init` sets a bucket up, `archiver bucket check` has it prove itself; both say each step."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from archiver.cli.options import number
from archiver.cli.output import json_text, plain
from archiver.clock import iso
from archiver.config import Environment, from_environment, without_seeds
from archiver.config.storage import Storage
from archiver.errors import ConfigError, UsageError
from archiver.store.bucketcheck import Checked, check_bucket
from archiver.store.bucketinit import PLANNED, Step, Wish, exit_code, init_bucket
from archiver.store.bucketpolicy import public_policy, writer_policy
from archiver.store.s3client import S3Settings

_LOCKS = ("governance", "compliance")
_OF_INIT = ("dry_run", "lock", "days", "accept_no_erasure", "public", "writer")
_MOST_DAYS = 36_500
_NO_ERASURE = (
    "compliance mode: until the time is over nobody can delete what was put, the owner of the account neither; "
    "orders to erase cannot be met until then. If that is what you want, add --accept-no-erasure"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", metavar="init|check", choices=("init", "check"), help="set up, or prove by doing")
    parser.add_argument("--config", metavar="FILE", help="a configuration file with `storage:` (default: STORE_*)")
    parser.add_argument("--json", action="store_true", help="as one JSON object")
    init = parser.add_argument_group("init")
    init.add_argument("--dry-run", action="store_true", help="print requests and policies, send nothing")
    init.add_argument("--lock", metavar="MODE", help="Object Lock for all that is put: governance or compliance")
    init.add_argument("--days", metavar="N", help="with --lock: how long each object is locked")
    init.add_argument(
        "--accept-no-erasure", action="store_true", help="with --lock compliance: no order to erase can be met"
    )
    init.add_argument("--public", action="store_true", help="everybody may read open WARCs and indexes")
    init.add_argument("--writer", metavar="ARN", help="the crawler's user, where its rights lie at the bucket")


def run(options: argparse.Namespace) -> int:
    """0, 22 or 33. Raises UsageError, ConfigError, DiskError."""
    if options.action == "check":
        for name in _OF_INIT:
            if getattr(options, name):
                raise UsageError(f"--{name.replace('_', '-')} goes with `archiver bucket init`")
    wish = _wish(options)
    environ = dict(os.environ)
    settings, environment = _settings(options, environ)
    if options.action == "check":
        return _check(settings, environment, as_json=options.json)
    steps = asyncio.run(_init(settings, wish, dry=options.dry_run))
    if options.json:
        print(json_text(_as_json(settings, wish, steps)))
    else:
        print(plain("\n".join(_said(settings, wish, steps))))
    return exit_code(steps)


def _settings(options: argparse.Namespace, environ: Mapping[str, str]) -> tuple[S3Settings, Environment]:
    path = Path(options.config) if options.config else None
    config = without_seeds({}, environ, path=path)
    if config.storage is None:
        raise ConfigError(
            "storage: no bucket is configured; set STORE_ENDPOINT_URL=https://HOST/BUCKET, or storage.bucket for AWS"
        )
    return _s3(config.storage), from_environment(environ)


def _s3(storage: Storage) -> S3Settings:
    return S3Settings(**storage.options())


def _wish(options: argparse.Namespace) -> Wish:
    """Raises UsageError for what does not go together."""
    days = number(options.days, "--days", whole=True)
    if options.lock is None:
        if days is not None or options.accept_no_erasure:
            raise UsageError("--days and --accept-no-erasure go with --lock governance or --lock compliance")
        return Wish(public=options.public, writer=_principal(options.writer))
    if options.lock not in _LOCKS:
        raise UsageError(f"--lock: {options.lock!r} is no mode; there are governance and compliance")
    if days is None or not 1 <= days <= _MOST_DAYS:
        raise UsageError(f"--lock needs --days, 1 to {_MOST_DAYS}: how long each object stays locked")
    if options.lock == "compliance" and not options.accept_no_erasure:
        raise UsageError(f"--lock {_NO_ERASURE}")
    if options.lock == "governance" and options.accept_no_erasure:
        raise UsageError("--accept-no-erasure goes with --lock compliance; in governance mode an owner can still erase")
    return Wish(lock=options.lock, days=int(days), public=options.public, writer=_principal(options.writer))


def _principal(text: str | None) -> str:
    if text is None:
        return ""
    if not text.startswith("arn:aws:iam::") or not text.isprintable() or "*" in text:
        raise UsageError(f"--writer: {text!r} is no user; it looks like arn:aws:iam::ACCOUNT:user/NAME")
    return text


async def _init(settings: S3Settings, wish: Wish, *, dry: bool) -> list[Step]:
    return [step async for step in init_bucket(settings, wish, dry=dry)]


def _as_json(settings: S3Settings, wish: Wish, steps: list[Step]) -> dict[str, Any]:
    return {
        "endpoint": settings.endpoint_url,
        "bucket": settings.bucket,
        "steps": [asdict(step) for step in steps],
        "writer_policy": writer_policy(settings, wish.writer),
        "public_policy": public_policy(settings) if wish.public else None,
    }


def _said(settings: S3Settings, wish: Wish, steps: list[Step]) -> list[str]:
    lines = [f"Bucket {settings.bucket} at {settings.endpoint_url or 'AWS'}"]
    for step in steps:
        answer = f": {step.answer}" if step.answer else ""
        lines.append(f"{step.outcome:<14} {step.name:<14} {step.operation}{answer}")
        if step.outcome == PLANNED:
            lines.append(f"{'':<30}{json.dumps(step.request)}")
    if wish.lock:
        lines.append(f"Locked: each object, for {wish.days} days from its put, {wish.lock} mode.")
    if wish.lock == "compliance":
        lines.append("No order to erase can be met before that.")
    if wish.public:
        lines.append("Public: whole WARCs, with what `archiver hide` hides in replay; a takedown needs another bucket.")
    where = "at the bucket" if wish.writer else "for the crawler's user (docs/operator/buckets.md)"
    lines += ["", f"The writer's policy, {where}:", json.dumps(writer_policy(settings, wish.writer), indent=1)]
    if not wish.writer:
        lines += ["", "Then, with the crawler's own key: archiver bucket check"]
    return lines


def _check(settings: S3Settings, environment: Environment, *, as_json: bool) -> int:
    found = asyncio.run(check_bucket(settings, environment.stores))
    if as_json:
        print(json_text(_checked_json(settings, found)))
    else:
        print(plain("\n".join(_checked_said(settings, found, environment))))
    return found.exit_code


def _checked_json(settings: S3Settings, found: Checked) -> dict[str, Any]:
    return {
        "endpoint": settings.endpoint_url,
        "bucket": settings.bucket,
        "at": iso(found.proof.at),
        "server": found.proof.server,
        "proved": sorted(found.proof.proved),
        "checksums_proved": found.proof.of_checksums,
        "findings": [asdict(line) for line in found.lines],
        "left": list(found.left),
    }


def _checked_said(settings: S3Settings, found: Checked, environment: Environment) -> list[str]:
    lines = [f"Bucket {settings.bucket} at {settings.endpoint_url or 'AWS'}"]
    for one in found.lines:
        lines.append(f"{one.state:<5}{one.name:<20}{one.says}")
        if one.fix:
            lines.append(f"{'':<25}-> {one.fix}")
    how = "the store's own SHA-256 is trusted" if found.proof.of_checksums else "uploads are read back and compared"
    lines += ["", f"verifyUpload: auto: {how} (kept in {environment.stores})."]
    return lines
