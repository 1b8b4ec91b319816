"""Standard streams as they may come: closed, full, in another character set, or left by their reader."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO


def secure_streams() -> None:
    """To be called before anything is opened: the number of a closed stream would go to a socket or to a WARC."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # takes the lowest free number: this one
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - as long as the process
    sys.stdout, sys.stderr = _whole(sys.stdout), _whole(sys.stderr)


def _whole(stream: TextIO) -> TextIO:
    """The stream, fit for all that we write: any character, and any length.

    Files and pipes are read by programs: they get UTF-8 whatever the locale; a terminal gets what it can show. Under
    PYTHONUNBUFFERED or on a non-blocking pipe Python drops what a write(2) did not take, without a word.
    """
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    encoding = stream.encoding if stream.isatty() else "utf-8"
    with contextlib.suppress(OSError):  # no file behind it
        os.set_blocking(stream.fileno(), True)
    if isinstance(stream.buffer, io.FileIO):
        buffered = io.BufferedWriter(stream.buffer)
        return io.TextIOWrapper(buffered, encoding, "backslashreplace", line_buffering=True)
    stream.reconfigure(encoding=encoding, errors="backslashreplace")
    return stream


def json_line(data: Any) -> str:
    """One JSON text, in ASCII where stdout cannot hold all that may be in it."""
    is_utf8 = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "") == "utf8"
    return json.dumps(data, ensure_ascii=not is_utf8)


def json_text(data: Any) -> str:
    """One JSON text in which controls, direction marks and the like are escapes: safe to look at, the same to read."""
    text = json.dumps(data, ensure_ascii=False)
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text)


def plain(text: str) -> str:
    """Sentences for people: what a site wrote (a rule, a location) steers no terminal and forges no line."""
    return "\n".join(map(escaped, text.split("\n")))


def escaped(text: str) -> str:
    """One line: controls, direction marks and the like as escapes."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


@contextlib.contextmanager
def readers_may_leave() -> Iterator[None]:
    """What is printed inside is lost when its reader went away (`| head`); the work was done, and goes on."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        silence()


def silence() -> None:
    """Nothing more can be said on stdout, nor at exit when Python writes what it still holds."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
