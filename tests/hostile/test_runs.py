"""Several runs at once, runs that are stopped at any moment, hosts that are slow, and things that lie in the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.hostile.conftest import Save
from tests.servers.raw import Answer, raw_server, respond
from tests.system.cli import archiver, check_collection, collection, running

pytestmark = pytest.mark.system

PAGE = respond(b"<title>page</title>")


def own(port: int) -> tuple[str, ...]:
    return ("--json", "--delay", "0", "--allow-address", f"127.0.0.1:{port}")


def test_four_at_once_into_one_collection(save: Save, tmp_path: Path) -> None:
    with raw_server({f"/{run}-{page}": PAGE for run in range(4) for page in range(20)}) as server:
        command = [sys.executable, "-m", "archiver", "save"]
        runs = [
            subprocess.Popen(
                [*command, *[server.url(f"/{run}-{page}") for page in range(20)], *own(server.port)],
                cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            )
            for run in range(4)
        ]  # fmt: skip
        told = [run.communicate(timeout=60) for run in runs]
    assert [run.returncode for run in runs] == [0] * 4, told
    assert [out.count('"archived"') for out, _ in told] == [20] * 4
    check_collection(collection(tmp_path))


def test_a_slow_host_holds_back_nobody(save: Save) -> None:
    slow = Answer(parts=(b"", b""), pause=60)
    with raw_server({"/": slow}) as tar, raw_server({f"/{page}": PAGE for page in range(10)}) as quick:
        urls = [tar.url("/"), *[quick.url(f"/{page}") for page in range(10)]]
        ran = save(*urls, port=tar.port, options=("--json", "--allow-address", f"127.0.0.1:{quick.port}"))
        assert [one["status"] for one in ran.objects] == ["failed", *["archived"] * 10]
        asked = next(request.at for request in tar.requests if request.path == "/")
        assert max(request.at for request in quick.requests) < asked + 3.0  # before the slow one's limit came


def test_one_url_many_times_is_one_visit(save: Save) -> None:
    with raw_server({"/": PAGE}) as server:
        ran = save(*[server.url("/")] * 30, server.url("/#a"), server.url("").upper(), port=server.port)
        assert server.paths() == ["/robots.txt", "/", "/.well-known/tdmrep.json"]
    assert len(ran.objects) == 1 and ran.code == 0


@pytest.mark.parametrize(("signals", "code"), [(1, 11), (2, 13)])
def test_signals(save: Save, tmp_path: Path, signals: int, code: int) -> None:
    """The first lets visits end and tells every URL, the second ends at once; both leave a collection to go on with."""

    told: list[str] = []
    slowly = Answer(parts=(PAGE[:20], PAGE[20:]), pause=0.1, held=lambda: not told and len(server.requests) > 8)
    with raw_server({f"/{page}": slowly for page in range(100)}) as server:
        urls = [server.url(f"/{page}") for page in range(100)]
        with running("save", *urls, "--concurrency", "2", *own(server.port), cwd=tmp_path) as process:
            while len(server.requests) < 6:
                assert process.poll() is None
                time.sleep(0.02)
            process.send_signal(signal.SIGINT)
            assert process.stderr is not None
            while "finishing" not in process.stderr.readline():  # two signals at once would be one
                assert process.poll() is None
            if signals == 2:
                process.send_signal(signal.SIGINT)
            else:
                told.append("once")
            out, err = process.communicate(timeout=60)
        assert process.returncode == code, err
        if signals == 1:
            assert out.count('"status": "archived"') >= 2
            assert out.count('"status"') == 100 and out.count('"interrupted"') >= 90
        told.append("over")
        for verb in (["list"], ["why", urls[0]], ["verify", "crawls"]):
            assert archiver(*verb, cwd=tmp_path).code == 0, verb
        assert save(urls[0], port=server.port).code == 0
    check_collection(collection(tmp_path))


def test_a_killed_run_can_be_looked_at_before_anything_else(save: Save, tmp_path: Path) -> None:
    killed: list[bool] = []
    page = Answer(parts=(PAGE[:20], PAGE[20:]), held=lambda: not killed and len(server.requests) > 25)
    with raw_server({f"/{number}": page for number in range(200)}) as server:
        urls = [server.url(f"/{number}") for number in range(200)]
        with running("save", *urls, "--concurrency", "1", *own(server.port), cwd=tmp_path) as process:
            while len(server.requests) < 20:
                time.sleep(0.01)
            process.kill()
            process.communicate()
            killed.append(True)
        for verb in (["list"], ["why", urls[0]], ["verify", "crawls"]):
            ran = archiver(*verb, cwd=tmp_path)
            assert ran.code == 0, (verb, ran.out, ran.err)
        assert "not checked: being written" in ran.out
        assert save(urls[0], port=server.port).code == 0
    check_collection(collection(tmp_path))


@pytest.mark.parametrize(
    ("place", "code"),
    [
        ("archive/x.warc.gz.open", 0),
        ("archive/x.warc.gz", 0),
        ("logs/ledger-20200101000000000-aaaaaaaa-1.jsonl", 0),
        ("pages/pages.jsonl", 3),
    ],
)
def test_nobody_waits_for_a_fifo(save: Save, tmp_path: Path, place: str, code: int) -> None:
    fifo = collection(tmp_path) / place
    fifo.parent.mkdir(parents=True)
    os.mkfifo(fifo)
    with raw_server({"/": PAGE}) as server:
        assert save(server.url("/"), port=server.port).code == code
    for verb in (["list"], ["verify", "crawls"]):
        assert archiver(*verb, cwd=tmp_path).code in (0, 2)
    assert fifo.is_fifo()


def test_an_answer_that_is_none_is_not_called_complete(save: Save) -> None:
    with raw_server({"/": b""}) as server:
        ran = save(server.url("/"), port=server.port)
    assert ran.code == 9 and ran.objects[0]["completeness"]["verdict"] != "complete"


def test_save_loads_no_heavy_machinery(save: Save, tmp_path: Path) -> None:
    code = (
        "import sys; from archiver.cli.main import main; main(sys.argv[1:]); "
        "print(sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    with raw_server({"/": PAGE}) as server:
        command = [sys.executable, "-c", code, "save", server.url("/"), *own(server.port)]
        ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    for name in ("scrapy", "twisted", "boto3", "botocore", "playwright", "redis", "warcio"):
        assert f"'{name}'" not in ran.stderr
