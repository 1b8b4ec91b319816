"""Threads for requests that block: a few at a time, and none that the end of the program waits for.

A request to a server that never answers sits in its thread until a time-out. The standard executor's threads are
joined at exit, so a command that has given up would not end before that.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class RequestThreads:
    """`run` at most `most` calls at once, on one event loop. A cancelled call runs on, its outcome unheard."""

    def __init__(self, most: int) -> None:
        self._places = asyncio.Semaphore(most)

    async def run(self, work: Callable[[], T]) -> T:
        async with self._places:
            loop = asyncio.get_running_loop()
            future: asyncio.Future[T] = loop.create_future()
            threading.Thread(target=_work, args=(work, loop, future), name="s3", daemon=True).start()
            return await future


def _work(work: Callable[[], T], loop: asyncio.AbstractEventLoop, future: asyncio.Future[T]) -> None:
    try:
        result = work()
    except BaseException as error:  # whoever waits decides
        _tell(loop, future, future.set_exception, error)
    else:
        _tell(loop, future, future.set_result, result)


def _tell(loop: asyncio.AbstractEventLoop, future: asyncio.Future[T], how: Callable[..., None], what: object) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed, and nobody waits any longer
        loop.call_soon_threadsafe(lambda: None if future.done() else how(what))
