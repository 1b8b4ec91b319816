"""Crawls in real processes: `scrapy crawl`, `archiver crawl`, signals, limits, faults, resume."""

from __future__ import annotations

import random
import re
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.crawl.processes import PROJECT, environment, scrapy, targets
from tests.needs import ROOT
from tests.servers.raw import Answer, RawServer, Reply, raw_server, respond
from tests.system.cli import archiver, check_collection, collection, ledger_bodies

pytestmark = pytest.mark.system


def chain(count: int, pause: float = 0.0, held: Callable[[], bool] = lambda: False) -> dict[str, Reply]:
    """`/` links to all pages; each is slow by `pause` and waits while `held` says so."""
    links = "".join(f"<a href=/p{number}>x</a>" for number in range(count))
    site: dict[str, Reply] = {"/": respond(f"<title>start</title>{links}".encode())}
    for number in range(count):
        page = respond(f"<title>{number}</title><p>{'x' * 500}".encode())
        site[f"/p{number}"] = Answer(parts=(page[:40], page[40:]), pause=pause, held=held)
    return site


def arguments(server: RawServer, **more: object) -> list[str]:
    keys = {"url": server.url("/"), "allowAddresses": f"127.0.0.1:{server.port}", "delay": 0, **more}
    return [part for name, value in keys.items() for part in ("-a", f"{name}={value}")]


def options(server: RawServer, *more: str) -> list[str]:
    return ["--url", server.url("/"), "--allow-address", f"127.0.0.1:{server.port}", "--delay", "0", *more]


# -- the two ways in


def test_scrapy_crawl_site_from_the_folder_of_scrapy_cfg(tmp_path: Path) -> None:
    with raw_server(chain(5)) as server:
        ran = scrapy("crawl", "site", *arguments(server, out=tmp_path / "crawls"), cwd=ROOT)
    assert ran.code == 0 and "6 captured" in ran.out, ran.err
    assert len(targets(collection(tmp_path) / "archive")) == 8  # and robots.txt and tdmrep.json, both 404
    check_collection(collection(tmp_path))


def test_scrapy_crawl_page_takes_one_page_and_what_it_needs(tmp_path: Path) -> None:
    site = {"/": respond(b"<link rel=stylesheet href=/s.css><a href=/p>x</a>"), "/s.css": respond(b"p{}")}
    with raw_server(site) as server:
        ran = scrapy("crawl", "page", *arguments(server), cwd=tmp_path, env=PROJECT)
        assert server.paths() == ["/robots.txt", "/", "/s.css", "/.well-known/tdmrep.json"]
    assert ran.code == 0 and "1 captured" in ran.out, ran.err


def test_archiver_crawl_takes_the_yaml(tmp_path: Path) -> None:
    with raw_server(chain(5)) as server:
        (tmp_path / "c.yaml").write_text(
            f"seeds: [{{url: '{server.url('/')}', exclude: ['/p4']}}]\ncollection: docs\ndelay: 0\n"
            f"allowAddresses: ['127.0.0.1:{server.port}']\n"
        )
        ran = archiver("crawl", "c.yaml", cwd=tmp_path)
        again = scrapy("crawl", "site", "-a", "config=c.yaml", "-a", "collection=two", cwd=tmp_path, env=PROJECT)
        assert "/p4" not in server.paths() and server.paths().count("/p3") == 2
    assert ran.code == 0 and "5 captured" in ran.out, ran.err
    assert again.code == 0 and "5 captured" in again.out, again.err


@pytest.mark.parametrize(
    ("given", "code", "word"),
    [
        (["url=https://example.org/"], 2, "contact"),
        ([], 2, "-a url="),
        (["url=http://127.0.0.1/", "pageLimit=many"], 2, "-a pageLimit"),
        (["url=http://127.0.0.1/", "pagelimit=3"], 2, "pageLimit"),
        (["url=ftp://127.0.0.1/"], 2, "ftp"),
        (["url=http://127.0.0.1/", "config=missing.yaml"], 4, "missing.yaml"),
        (["url=http://127.0.0.1/", "policy=research"], 4, "legalBasis"),
        (["url=http://127.0.0.1/", "warcinfo={"], 2, "JSON"),
    ],
)
def test_a_refused_argument_is_one_line_and_a_documented_code(
    tmp_path: Path, given: list[str], code: int, word: str
) -> None:
    ran = scrapy("crawl", "site", *(part for one in given for part in ("-a", one)), cwd=tmp_path, env=PROJECT)
    assert ran.code == code, ran.err
    lines = [line for line in ran.err.splitlines() if line]
    assert len(lines) == 1 and word in lines[0]
    assert not (tmp_path / "crawls").exists()


def test_seeds_that_are_refused_or_gone_have_their_codes(tmp_path: Path) -> None:
    site = {"/robots.txt": respond(b"User-agent: *\nDisallow: /", content_type="text/plain"), "/": respond(b"x")}
    with raw_server(site) as server:
        assert scrapy("crawl", "site", *arguments(server), cwd=tmp_path, env=PROJECT).code == 30
    site["/robots.txt"] = respond(b"", status="503 No")
    with raw_server(site) as server:
        assert scrapy("crawl", "site", *arguments(server, out="b", retries=0), cwd=tmp_path, env=PROJECT).code == 32
        assert server.paths().count("/") == 0
    site = {"/": Answer(parts=(b"",), abort=True)}
    with raw_server(site) as server:
        ran = scrapy("crawl", "site", *arguments(server, out="c", retries=0), cwd=tmp_path, env=PROJECT)
        assert ran.code == 9, ran.err


# -- limits


@pytest.mark.parametrize(
    ("key", "value", "code"), [("pageLimit", "3", 0), ("sizeLimit", "2000", 14), ("timeLimit", "2", 15)]
)
def test_limits_end_the_crawl(tmp_path: Path, key: str, value: str, code: int) -> None:
    with raw_server(chain(40, pause=0.2)) as server:
        given = arguments(server, concurrency=1, **{key: value})
        ran = scrapy("crawl", "site", *given, cwd=tmp_path, env=PROJECT)
        assert ran.code == code and f"Ended by {key}" in ran.out, ran.err + ran.out
        assert len(server.paths()) < 20
    rows = ledger_bodies(collection(tmp_path))
    assert rows[-1]["event"] == "end" and rows[-1]["stopped"] == key
    assert sum(row["event"] == "pending" for row in rows) >= 20
    check_collection(collection(tmp_path))


# -- signals


def start(given: list[str], cwd: Path, *, program: str = "archiver", limit: Callable[[], None] | None = None) -> Any:
    return subprocess.Popen(
        [sys.executable, "-m", program, "crawl", *given], cwd=cwd, env=environment(PROJECT),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=limit,
    )  # fmt: skip


def wait_for(server: RawServer, requests: int) -> None:
    deadline = time.monotonic() + 100
    while len(server.requests) < requests:
        assert time.monotonic() < deadline, "the crawl did not get going"
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("program", "number"),
    [
        ("archiver", signal.SIGTERM),
        ("scrapy", signal.SIGINT),
        pytest.param("archiver", signal.SIGINT, marks=pytest.mark.soak),
        pytest.param("scrapy", signal.SIGTERM, marks=pytest.mark.soak),
    ],
)
def test_one_signal_finishes_what_is_in_hand_and_the_next_run_goes_on(
    tmp_path: Path, program: str, number: signal.Signals
) -> None:
    told: list[bool] = []
    with raw_server(chain(30, pause=0.1, held=lambda: not told and len(server.requests) > 12)) as server:
        given = options(server, "--concurrency", "2")
        if program == "scrapy":
            given = ["site", *arguments(server, concurrency=2)]
        process = start(given, tmp_path, program=program)
        wait_for(server, 8)
        process.send_signal(number)
        told.append(True)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 11, err
        assert "goes on" in out and "Traceback" not in err
        first = Counter(server.paths())
        assert len(first) < 30
        check_collection(collection(tmp_path))
        rest = start(given, tmp_path, program=program)
        out, err = rest.communicate(timeout=60)
        assert rest.returncode == 0, err
        counts = Counter(server.paths())
    assert counts.pop("/robots.txt") <= 2
    assert set(counts.values()) == {1} and len(counts) == 32, counts  # tdmrep.json among them
    check_collection(collection(tmp_path))
    rows = ledger_bodies(collection(tmp_path))
    assert [row["stopped"] for row in rows if row["event"] == "end"] == ["interrupted", None]


def test_a_second_signal_ends_at_once_and_nothing_is_lost(tmp_path: Path) -> None:
    with raw_server(chain(12, held=lambda: True)) as server:
        given = options(server, "--concurrency", "2")
        process = start(given, tmp_path)
        wait_for(server, 4)
        process.send_signal(signal.SIGINT)
        while not process.stderr.readline().startswith("archiver: finishing"):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        assert process.returncode == 13
        for number in range(12):
            server.answers[f"/p{number}"] = respond(f"<title>{number}</title>".encode())
        assert archiver("crawl", *given, cwd=tmp_path).code == 0
    kept = set(targets(collection(tmp_path) / "archive"))
    assert {server.url(f"/p{number}") for number in range(12)} <= kept
    check_collection(collection(tmp_path))


# -- faults


def test_a_full_disk_ends_the_crawl_with_its_code_and_the_next_run_goes_on(tmp_path: Path) -> None:
    """RLIMIT_FSIZE stands for the full disk: no file grows past 300 KB."""

    def no_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    site = chain(60)
    noise = random.Random(1)
    for number in range(60):
        site[f"/p{number}"] = respond(noise.randbytes(20_000), content_type="application/octet-stream")
    with raw_server(site) as server:
        process = start(options(server, "--concurrency", "2"), tmp_path, limit=no_room)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 3, err
        complaints = [line for line in err.splitlines() if line and not line.startswith('{"progress"')]
        assert len(complaints) == 1 and complaints[0].startswith("archiver: "), err
        assert len(server.paths()) < 60
        again = archiver("crawl", *options(server), cwd=tmp_path)
        assert again.code == 0, again.err
    kept = set(targets(collection(tmp_path) / "archive"))
    assert {server.url(f"/p{number}") for number in range(60)} <= kept
    check_collection(collection(tmp_path))


# -- pace


def test_a_slow_host_does_not_hold_back_a_free_one(tmp_path: Path) -> None:
    """The slow host answers once all of the free one's pages were asked for; else its visits end failed."""
    free_site = {f"/f{number}": respond(b"<p>x") for number in range(40)}
    with raw_server({}) as slow, raw_server(free_site) as free:
        slowly = Answer(parts=(b"", respond(b"x")), held=lambda: len(set(free.paths()) & set(free_site)) < 40)
        slow_site = {f"/s{number}": slowly for number in range(3)}
        slow.answers.update(slow_site)
        links = "".join(f"<a href={slow.url(path)}>s</a>" for path in slow_site)
        links += "".join(f"<a href=/f{number}>f</a>" for number in range(40))
        free.answers["/"] = respond(links.encode())
        allow = ["--allow-address", f"127.0.0.1:{slow.port}", "--allow-address", f"127.0.0.1:{free.port}"]
        given = ["--url", free.url("/"), *allow, "--delay", "0", "--scope-type", "any", "--concurrency", "4"]
        ran = archiver("crawl", *given, cwd=tmp_path)
        assert ran.code == 0, ran.err
    visits = [row for row in ledger_bodies(collection(tmp_path)) if row["event"] == "visit"]
    assert len(visits) == 44 and {row["status"] for row in visits} == {"captured"}


# -- what is not loaded


@pytest.mark.parametrize(
    "given", [["save", "URL"], ["crawl", "--url", "URL", "--driver", "pump", "--delay", "0"], ["list"]]
)
def test_scrapy_is_loaded_for_its_own_driver_only(tmp_path: Path, given: list[str]) -> None:
    code = (
        "import sys; from archiver.cli.main import main; code = main(sys.argv[1:]); "
        "print('loaded', sorted({name.partition('.')[0] for name in sys.modules} & {'scrapy', 'twisted', 'parsel'}))"
    )
    with raw_server(chain(1)) as server:
        words = [server.url("/") if word == "URL" else word for word in given]
        if given[0] != "list":
            words += ["--allow-address", f"127.0.0.1:{server.port}"]
        done = subprocess.run(
            [sys.executable, "-c", code, *words], cwd=tmp_path, env=environment(), capture_output=True, text=True,
            timeout=60, check=False,
        )  # fmt: skip
    assert re.search(r"^loaded \[\]$", done.stdout, re.MULTILINE), done.stdout + done.stderr
