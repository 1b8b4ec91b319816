"""A run of `save` against one robots.txt, in this process, and everything that must hold whatever it said."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from archiver.cli.main import main
from archiver.warc.reader import Record
from tests.servers.raw import RawServer, Reply, Request, respond
from tests.system.cli import check_collection, collection, ledger_bodies, records

PAGE = respond(b"<title>Page</title><p>text")
CONFIG = "robotsTimeout: 1\nidleTimeout: 1\nconnectTimeout: 1\nrequestTimeout: 3\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What a run told and left behind."""

    code: int
    told: list[dict[str, Any]]
    folder: Path

    @property
    def one(self) -> dict[str, Any]:
        (only,) = self.told
        return only

    def record(self, record_id: str) -> Record:
        (found,) = [one for one in records(self.folder) if one.headers.record_id == record_id]
        return found

    def rows(self, url: str, event: str) -> list[dict[str, Any]]:
        return [one for one in ledger_bodies(self.folder) if one.get("url") == url and one["event"] == event]

    def robots_note(self, url: str) -> dict[str, Any]:
        """What the last decision about `url` says of robots.txt."""
        note: dict[str, Any] = self.rows(url, "decision")[-1]["notes"]["robots"]
        return note


Save = Callable[..., Saved]


def allowed(*servers: RawServer) -> tuple[str, ...]:
    """Any name of this machine, at these servers' ports."""
    hosts = ("127.0.0.1", "localhost", "a.localhost", "b.localhost")
    return tuple(word for one in servers for host in hosts for word in ("--allow-address", f"{host}:{one.port}"))


@pytest.fixture
def save(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], _own_home: Path) -> Save:
    """`save(*urls, servers=[...])`: a run of its own collection with short time-outs; home and host state remain."""
    settings = Path(os.environ["HOME"], ".config", "archiver")
    settings.mkdir(parents=True)
    (settings / "config.yaml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    runs = iter(range(100))

    def run(*urls: str, servers: Iterable[RawServer], options: tuple[str, ...] = ()) -> Saved:
        name = f"run{next(runs)}"
        how = ("--json", "--delay", "0", "--collection", name, *allowed(*servers), *options)
        code = main(["save", *urls, *how])
        out, err = capsys.readouterr()
        told = [json.loads(line) for line in out.splitlines()]
        assert told, err
        folder = collection(tmp_path, name)
        assert main(["verify", str(folder)]) == 0, capsys.readouterr()
        capsys.readouterr()
        check_collection(folder)
        return Saved(code=code, told=told, folder=folder)

    return run


def asked(server: RawServer) -> list[str]:
    """What was asked for, in order, without the files of a site that are looked at after a page."""
    return [path for path in server.paths() if not path.startswith("/.well-known/")]


def robots(text: bytes | str, **how: str) -> bytes:
    body = text.encode() if isinstance(text, str) else text
    return respond(body, content_type=how.pop("content_type", "text/plain"), **how)


def in_turn(*replies: Reply) -> Reply:
    """The first reply to the first request and so on; the last one for ever."""
    left = list(replies)

    def reply(request: Request) -> Any:
        one = left.pop(0) if len(left) > 1 else left[0]
        return one(request) if callable(one) else one

    return reply
