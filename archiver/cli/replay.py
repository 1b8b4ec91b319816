"""`archiver replay [COLLECTION]`: pywb on loopback, on the collection's own origin, until it is stopped."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

from archiver.cli.collections import add_place_options, places_of
from archiver.cli.options import number
from archiver.clock import SYSTEM
from archiver.config import Storage, cache_folder, without_seeds
from archiver.errors import UsageError
from archiver.replay.serve import Wanted, serve

PORT = 8090


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("collection", nargs="?", help="default: main")
    parser.add_argument(
        "--port", metavar="N", default=str(PORT), help=f"on 127.0.0.1 (default {PORT}; 0 = any free one)"
    )
    parser.add_argument("--public", action="store_true", help="only what the public may see")
    parser.add_argument(
        "--from-store", action="store_true", help="straight from the configured bucket; no local copy is needed"
    )
    add_place_options(parser)


def run(options: argparse.Namespace) -> int:
    """Runs until SIGINT, SIGTERM or SIGHUP, then returns 0. Raises UsageError, ReplayError, StoreError, DiskError."""
    port = number(options.port, "--port", whole=True)
    if not isinstance(port, int) or not 0 <= port <= 65535:
        raise UsageError(f"--port: {options.port} is not a port (0 to 65535)")
    if options.from_store:
        asyncio.run(_until_stopped(_from_store(options, port)))
        return 0
    wanted = Wanted(places=places_of(options.collection, options.out), port=port, public=options.public)
    asyncio.run(_until_stopped(_local(wanted)))
    return 0


async def _local(wanted: Wanted) -> None:
    """WARCs whose local copy was given up are read in the store."""
    from archiver.wiring.from_store import bucket_of, lies_elsewhere

    if wanted.places.uploads.exists() and lies_elsewhere(wanted.places):
        storage = without_seeds({}, dict(os.environ)).storage
        if storage is None:
            print("archiver: some WARCs lie in the store alone, and none is configured: set STORE_*", file=sys.stderr)
        else:
            wanted = replace(wanted, bucket=bucket_of(storage, wanted.places))
    await serve(wanted, SYSTEM, dict(os.environ), lambda url: _say(wanted, url))


async def _from_store(options: argparse.Namespace, port: int) -> None:
    from archiver.wiring.from_store import bucket_of, cached_places, store_copy

    name, storage = _stored(options)
    places = cached_places(name, storage, cache_folder(os.environ))
    async with store_copy(storage, places) as copy:
        fetched = await copy.sync()
        print(f"archiver: {fetched} files of index and ledger fetched into {places.root}", file=sys.stderr, flush=True)
        wanted = Wanted(places=places, port=port, public=options.public, bucket=bucket_of(storage, places))
        await copy.while_fresh(serve(wanted, SYSTEM, dict(os.environ), lambda url: _say(wanted, url)))


def _stored(options: argparse.Namespace) -> tuple[str, Storage]:
    given = {} if options.collection is None else {"collection": options.collection}
    config = without_seeds(given, dict(os.environ))
    if config.storage is None:
        raise UsageError(
            "--from-store: no bucket is configured; set STORE_ENDPOINT_URL, or storage: in your config file"
        )
    return config.job.collection, config.storage


async def _until_stopped(serving: Coroutine[Any, Any, None]) -> None:
    task = asyncio.current_task()
    assert task is not None
    for number_ in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number_, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await serving


def _say(wanted: Wanted, url: str) -> None:
    print(f"Replay of {wanted.places.name}: {url}", flush=True)
    print("Stop it with Ctrl-C.", file=sys.stderr, flush=True)
