"""One collection on its own origin, from the socket to pywb's end."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from archiver.clock import Clock
from archiver.config import Places
from archiver.errors import UsageError
from archiver.replay.layout import LISTED, Bucket, pywb_config, replay_url
from archiver.replay.proxy import ReplayProxy
from archiver.replay.pywb import ReplayError, find_pywb, running
from archiver.replay.view import View

BANNER = (
    "Owner's view: restricted, dark and expired captures are shown too. `archiver replay --public` shows the public's "
    "view."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to show. `port` 0 = any free one; `public` = the open class only, under the access rules; `bucket` = where
    WARCs lie that are not in `places`."""

    places: Places
    port: int
    public: bool
    bucket: Bucket | None = None


async def serve(wanted: Wanted, clock: Clock, environ: Mapping[str, str], ready: Callable[[str], None]) -> None:
    """Serves on 127.0.0.1 until cancelled; `ready` gets the address. Never returns by itself.

    Raises UsageError (the port is taken), ReplayError (no pywb, or it failed).
    """
    program = find_pywb(environ)
    if program is None:
        raise ReplayError("pywb is not installed; `make setup` installs it, or set ARCHIVER_PYWB to its `wayback`")
    with _bound(wanted.port) as listener, tempfile.TemporaryDirectory(prefix="archiver-replay-") as temporary:
        folder = Path(temporary)
        bucket = wanted.bucket
        view = View(folder / "view", wanted.places, clock, public=wanted.public, bucket=bucket)
        name, port = wanted.places.name, int(listener.getsockname()[1])
        config = pywb_config(name, view.folder, public=wanted.public, bucket=bucket)
        async with running(program, config, environ, folder, bucket) as pywb:
            proxy = ReplayProxy(
                collection=name,
                upstream_port=pywb.port,
                port=port,
                banner=None if wanted.public else BANNER,
                listed=LISTED if wanted.public else name,
                refresh=view.refresh,
            )
            runner = proxy.runner()
            await runner.setup()
            try:
                await web.SockSite(runner, listener).start()
                ready(replay_url(name, port))
                await pywb.ended()
            finally:
                await runner.cleanup()


def _bound(port: int) -> socket.socket:
    """Bound before pywb starts, so that a taken port is told at once; it listens when there is something to show."""
    listener = socket.socket()
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        raise UsageError(f"--port: {port} cannot be used ({error.strerror}); give another, or 0 for any") from error
    return listener
