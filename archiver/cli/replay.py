"""`archiver replay [COLLECTION]`: pywb on loopback, on the collection's own origin, until it is stopped."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Mapping

from aiohttp import web

from archiver.cli.collections import add_place_options, places_of
from archiver.cli.options import number
from archiver.config import Places
from archiver.errors import UsageError
from archiver.replay.layout import pywb_config, replay_url
from archiver.replay.proxy import ReplayProxy
from archiver.replay.pywb import find_pywb, running

PORT = 8090
BANNER = "Owner's view: this shows restricted and dark captures too. `archiver replay --public` shows what the public may see."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("collection", nargs="?", help="default: main")
    parser.add_argument(
        "--port", metavar="N", default=str(PORT), help=f"on 127.0.0.1 (default {PORT}; 0 = any free one)"
    )
    parser.add_argument("--public", action="store_true", help="only what the public may see")
    add_place_options(parser)


def run(options: argparse.Namespace) -> int:
    """Runs until SIGINT or SIGTERM, then returns 0."""
    places = places_of(options.collection, options.out)
    port = number(options.port, "--port", whole=True)
    if not isinstance(port, int) or not 0 <= port <= 65535:
        raise UsageError(f"--port: {options.port} is not a port (0 to 65535)")
    asyncio.run(_serve(places, port, public=options.public, environ=dict(os.environ)))
    return 0


async def _serve(places: Places, port: int, *, public: bool, environ: Mapping[str, str]) -> None:
    program = find_pywb(environ)
    if program is None:
        raise UsageError("pywb is not installed; `make setup` installs it, or set ARCHIVER_PYWB to its `wayback`")
    from archiver.replay.pywb import free_port

    port = port or free_port()
    stopped = asyncio.Event()
    for number_ in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number_, stopped.set)
    async with running(program, pywb_config(places.name, places.root, public=public), environ) as upstream:
        banner = None if public else BANNER
        proxy = ReplayProxy(collection=places.name, upstream_port=upstream, port=port, banner=banner)
        runner = web.AppRunner(proxy.application(), access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
        except OSError as error:
            await runner.cleanup()
            raise UsageError(f"--port: {port} cannot be used ({error.strerror}); give another") from error
        print(f"Replay of {places.name}: {replay_url(places.name, port)}", flush=True)
        print("Stop it with Ctrl-C.", file=sys.stderr, flush=True)
        await stopped.wait()
        await runner.cleanup()
