"""`verify --remote`: a collection's files where the bucket keeps them, all or the next part of a rotating plan."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal

from archiver.cli.options import person
from archiver.cli.verify_local import Progress, Shown, say
from archiver.clock import SYSTEM
from archiver.config import Places, from_environment, without_seeds
from archiver.errors import DiskError, Interrupted, UsageError
from archiver.fixity.files import Checked
from archiver.fixity.remote import RemoteCheck
from archiver.ledger import fixity
from archiver.store import S3Settings, S3Store
from archiver.store.costs import add_run
from archiver.store.remote import ORPHAN_AGE


def run(options: argparse.Namespace) -> int:
    """0 when everything holds, 1 when not. Raises UsageError, StoreError, Interrupted; what was checked is logged."""
    sample = part(options.sample)
    environ = dict(os.environ)
    given = {"collection": options.collection, "out": options.out}
    config = without_seeds({name: value for name, value in given.items() if value is not None}, environ)
    if config.storage is None:
        raise UsageError("--remote: no bucket is configured; set STORE_ENDPOINT_URL, or storage: in your config file")
    places = Places.of(config, from_environment(environ))
    settings = S3Settings(**config.storage.options())
    shown = Shown(as_json=options.json)
    progress = Progress(places.name)

    def told(one: Checked, done: int, of: int) -> None:
        shown.show(one)
        progress(done, of, check.bytes_read, 0)

    log = fixity.read(fixity.segments(places.logs))
    store = S3Store(settings, connections=2 * config.storage.uploads)

    async def uploads() -> list[str]:
        return [one.key for one in await store.unfinished(check.prefix, older=ORPHAN_AGE)]

    check = RemoteCheck(
        store=store, root=places.root, log=log, sample=sample, at_once=config.storage.uploads, told=told,
        uploads=uploads,
    )  # fmt: skip
    try:
        asyncio.run(_checked(check))
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise Interrupted(
            f"interrupted: {len(check.found)} files are checked; the same command begins with what is unchecked longest"
        ) from None
    finally:
        add_run(places.uploads.with_name("requests.json"), settings.place, store.counts.as_json(), SYSTEM)
        logged = _log(check, places, f"s3://{settings.bucket}/{settings.path}", wanted=not options.no_log)
    shown.summary({"collection": places.name, "summary": check.summary(), "log": logged})
    if not options.json:
        _tell(check)
    return shown.end()


def part(text: str | None) -> float:
    """`5%` as 0.05; None is everything. Raises UsageError."""
    if text is None:
        return 1.0
    try:
        percent = float(text.removesuffix("%"))
    except ValueError:
        percent = 0.0
    if not 0 < percent <= 100:
        raise UsageError(f"--sample: {text!r} is no percentage over 0 and up to 100, such as 5%")
    return percent / 100


async def _checked(check: RemoteCheck) -> None:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    loop.add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        await check.run()
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
        with contextlib.suppress(asyncio.CancelledError):
            await check.store.close()


def _log(check: RemoteCheck, places: Places, place: str, *, wanted: bool) -> str:
    """Rows of the fixity log, here: a key that may only read cannot write them there."""
    if not wanted or not check.found:
        return "not wanted" if not wanted else "nothing was checked"
    try:
        done = fixity.Check(where="remote", place=place, found=check.found, summary=check.summary())
        fixity.write(places.logs, SYSTEM, person(os.environ, through="cli"), done)
    except DiskError as error:
        say(f"the fixity log of {places.name} is not written: {error}")
        return str(error)
    return "written"


def _tell(check: RemoteCheck) -> None:
    plan = check.plan
    if plan is not None and len(plan.places) < plan.listed:
        before = f"the longest unread was read at {plan.oldest}" if plan.oldest else "some were never read before"
        print(f"This part: {len(plan.places):,} of {plan.listed:,} files; {before}.")
    print(f"Compared with: {'; '.join(check.notes)}.")
    for key in check.unfinished[:20]:
        print(f"note: an upload of {key} in parts was never ended; `archiver upload` aborts it")
    for place in check.unknown[:20]:
        print(f"note: nothing speaks of {place}: it was put there by somebody, or by a run that did not live to tell")
    if len(check.unknown) > 20:
        print(f"note: and of {len(check.unknown) - 20:,} more")
