"""`archiver replay [COLLECTION]`: pywb on loopback, on the collection's own origin, until it is stopped."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys

from archiver.cli.collections import add_place_options, places_of
from archiver.cli.options import number
from archiver.clock import SYSTEM
from archiver.errors import UsageError
from archiver.replay.serve import Wanted, serve

PORT = 8090


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("collection", nargs="?", help="default: main")
    parser.add_argument(
        "--port", metavar="N", default=str(PORT), help=f"on 127.0.0.1 (default {PORT}; 0 = any free one)"
    )
    parser.add_argument("--public", action="store_true", help="only what the public may see")
    add_place_options(parser)


def run(options: argparse.Namespace) -> int:
    """Runs until SIGINT, SIGTERM or SIGHUP, then returns 0. Raises UsageError, ReplayError."""
    port = number(options.port, "--port", whole=True)
    if not isinstance(port, int) or not 0 <= port <= 65535:
        raise UsageError(f"--port: {options.port} is not a port (0 to 65535)")
    wanted = Wanted(places=places_of(options.collection, options.out), port=port, public=options.public)
    asyncio.run(_until_stopped(wanted))
    return 0


async def _until_stopped(wanted: Wanted) -> None:
    task = asyncio.current_task()
    assert task is not None
    for number_ in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number_, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await serve(wanted, SYSTEM, dict(os.environ), lambda url: _say(wanted, url))


def _say(wanted: Wanted, url: str) -> None:
    print(f"Replay of {wanted.places.name}: {url}", flush=True)
    print("Stop it with Ctrl-C.", file=sys.stderr, flush=True)
