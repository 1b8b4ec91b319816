"""What `--override` and `--wait` take, and where an override is none: every way in names the one there is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from archiver.config import from_environment
from tests.cli.conftest import Verb
from tests.cli.test_bad_input import LOCAL, refused_at_once
from tests.servers.raw import raw_server, respond

WHO = ["--because", "a reason", "--by", "Ann"]
ONE_URL = "overrides are for one URL"


def users_own(text: str) -> None:
    """The configuration of whoever runs this."""
    file = from_environment(os.environ).config_file
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ([LOCAL, "--override", "robots"], "--because"),
        ([LOCAL, "--override", "robots", "--because", "x"], "--by"),
        ([LOCAL, "--override", "robots", "--because", "  ", "--by", "Ann"], "--because"),
        ([LOCAL, "--override", "robots", "--because", "x", "--by", ""], "--by"),
        ([LOCAL, "--override", "robots", "--because", "x\ny", "--by", "Ann"], "--because"),
        ([LOCAL, "--override", "robots", "--because", "x" * 3000, "--by", "Ann"], "--because"),
        ([LOCAL, "--because", "x"], "--because goes with --override"),
        ([LOCAL, "--by", "Ann"], "--by goes with --override"),
        ([LOCAL, "--override", "floor", *WHO], "'floor'"),
        ([LOCAL, "--override", "robots,,requisites", *WHO], "''"),
        ([LOCAL, "--override", "robots", "--override", "rateLimited", *WHO], "'rateLimited'"),
        ([LOCAL, f"{LOCAL}2", "--override", "robots", *WHO], "2 URLs"),
        ([LOCAL, LOCAL, "--override", "robots", *WHO], "2 URLs"),
        (["--demo", "--override", "robots", *WHO], "one URL"),
        ([LOCAL, "--wait", "soon"], "--wait"),
        ([LOCAL, "--wait", "-1"], "--wait"),
    ],
)
def test_what_is_missing_is_named(verb: Verb, arguments: list[str], word: str) -> None:
    refused_at_once(verb, ["save", *arguments], 2, word)


@pytest.mark.parametrize("value", ["off", "false"])
def test_the_operator_can_forbid_them(verb: Verb, value: str) -> None:
    users_own(f"overrides: {value}\n")
    refused_at_once(verb, ["save", LOCAL, "--override", "robots", *WHO], 4, "overrides")
    said = verb("save", LOCAL)
    assert said.code == 30, "everything else is as it was"


def test_where_they_are_forbidden_nobody_is_told_of_them(verb: Verb) -> None:
    robots = respond(b"User-agent: *\nDisallow: /", content_type="text/plain")
    with raw_server({"/robots.txt": robots}) as server:
        arguments = ("save", server.url("/x"), "--allow-address", f"127.0.0.1:{server.port}")
        assert "--override robots --because WHY --by NAME" in verb(*arguments).out
        users_own("overrides: off\n")
        assert "--override" not in verb(*arguments).out


@pytest.mark.parametrize("text", ["override: robots\n", "override: [robots, requisites]\n"])
def test_no_file_holds_one(verb: Verb, text: str) -> None:
    crawl = f"{text}url: {LOCAL}\n"
    Path("crawl.yaml").write_text(crawl)
    refused_at_once(verb, ["crawl", "crawl.yaml"], 4, ONE_URL)
    Path("crawl.yaml").write_text(f"seeds:\n  - url: {LOCAL}\n    {text}")
    refused_at_once(verb, ["crawl", "crawl.yaml"], 4, ONE_URL)
    users_own(text)
    refused_at_once(verb, ["save", LOCAL], 4, ONE_URL)
    refused_at_once(verb, ["crawl", "--url", LOCAL], 4, ONE_URL)


@pytest.mark.parametrize("more", [["robots"], ["robots", "--because", "x"], []])
def test_a_crawl_takes_none(verb: Verb, more: list[str]) -> None:
    refused_at_once(verb, ["crawl", "--url", LOCAL, "--override", *more], 4, ONE_URL)
    refused_at_once(verb, ["crawl", "--override", *more, "--url", LOCAL], 4, ONE_URL)
