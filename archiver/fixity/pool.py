"""Reading files in processes of their own: a few at a time, results as they come, no worker left behind."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, TypeVar

from archiver.errors import ArchiverError

T = TypeVar("T")

PARALLEL_FROM = 32 << 20
"""Bytes in all, below which processes cost more than they save."""


def workers() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0))


def results(
    function: Callable[..., T], items: Sequence[tuple[Path, tuple[Any, ...]]], *, at_once: int, size: int
) -> Iterator[tuple[Path, T]]:
    """`function(path, *more)` of each item, in any order; `size` is of all files. Raises what the function raises.

    Twice as many results as workers are waiting at most, so that memory does not grow with the collection.
    """
    if at_once < 2 or len(items) < 2 or size < PARALLEL_FROM:
        for path, more in items:
            yield path, function(path, *more)
        return
    context = multiprocessing.get_context("spawn")  # forking a process that has threads can hang
    pool = ProcessPoolExecutor(min(at_once, len(items)), mp_context=context, initializer=_leave_signals_to_parent)
    try:
        yield from _windowed(pool, function, items, 2 * at_once)
        pool.shutdown()
    except BrokenProcessPool as error:
        raise ArchiverError(
            "a process that was reading files was killed, most likely for want of memory; the same command goes on"
        ) from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for child in multiprocessing.active_children():
            child.terminate()


def _windowed(
    pool: ProcessPoolExecutor, function: Callable[..., T], items: Sequence[tuple[Path, tuple[Any, ...]]], window: int
) -> Iterator[tuple[Path, T]]:
    left = iter(items)
    running: dict[Future[T], Path] = {}
    while True:
        for path, more in left:
            running[pool.submit(function, path, *more)] = path
            if len(running) >= window:
                break
        if not running:
            return
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            yield running.pop(future), future.result()


def _leave_signals_to_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
