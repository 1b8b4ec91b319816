"""The runner itself: it scores what it should, and can fail."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conformance.__main__ import main

DATA = Path(__file__).parents[1] / "data/conformance"


def test_all_vectors_pass(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(DATA / "robots_vectors.json"), str(DATA / "signal_vectors.json")]) == 0
    assert capsys.readouterr().out == "24 not scored (contested or informative)\n447 passed, 0 failed\n"


@pytest.mark.parametrize(("name", "cases"), [("own_robots", 274), ("own_signals", 288)])
def test_our_own_vectors_pass(name: str, cases: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(DATA / f"{name}.json")]) == 0
    assert capsys.readouterr().out == f"{cases} passed, 0 failed\n"


def test_a_failure_is_told_and_counted_once_a_case(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    right = {"robots_txt": "", "user_agent": "a", "url": "http://h.test/", "expect_allowed": True, "standard": "both"}
    signal = {"category": "retry-after", "user_agent": "a", "input": {"status": 503, "headers": [["Retry-After", "5"]]}}
    cases = [
        right | {"id": "right"},
        right | {"id": "wrong", "expect_allowed": False},
        right | {"id": "open", "expect_allowed": False, "contested": True},
        signal | {"id": "wait", "expect": {"delay_s": 6}},
        signal | {"id": "told", "expect": {"delay_s": 6}, "informative": True},
        signal | {"id": "strange", "expect": {"colour": "red"}},
    ]
    file = tmp_path / "v.json"
    file.write_text(json.dumps({"format": "signal-vectors/1", "cases": cases}))
    assert main([str(file)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "FAIL wrong rfc9309: expected False, got True",
        "FAIL wrong google: expected False, got True",
        "FAIL wait delay_s: expected 6, got 5",
        "FAIL strange colour: expected 'red', got 'no answer for colour'",
        "2 not scored (contested or informative)",
        "1 passed, 3 failed",
    ]


def test_without_a_file_it_says_how(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "usage" in capsys.readouterr().err


def run_cases(tmp_path: Path, document: object) -> int:
    file = tmp_path / "v.json"
    file.write_text(json.dumps(document))
    return main([str(file)])


ROBOTS = {"robots_txt": "User-agent: *\nDisallow: /x\n", "url": "http://h.test/x", "expect_allowed": False}
SIGNAL = {
    "category": "directives",
    "input": {"robots": "User-agent: *\nCrawl-delay: 1\n"},
    "expect": {"crawl_delay": 1},
}


@pytest.mark.parametrize(
    "document",
    [
        [ROBOTS | {"user_agent": "a", "colour": "red"}],
        {"cases": {"one": ROBOTS | {"user_agent": "a", "standard": "rfc9309"}}},
        {"cases": [ROBOTS | {"user_agent": ["b", "a"], "id": "x"}]},
        {"cases": [ROBOTS | {"user_agent": "M/5 (compatible; a/1)", "product_token": "a", "robots_b64": None}]},
        {
            "cases": [
                ROBOTS | {"user_agent": "a", "robots_gen": {"parts": [["User-agent: a\nDisallow: /", 1], ["x", 1]]}}
            ]
        },
        {"cases": [SIGNAL]},
        {"cases": [SIGNAL | {"input": {"robots_b64": "VXNlci1hZ2VudDogYQpDcmF3bC1kZWxheTogMQo="}, "user_agent": "a"}]},
        [
            {
                "category": "xrobots",
                "input": {"headers": {"X-Robots-Tag": ["noindex", "nofollow"], "Content-Type": "text/html"}},
                "expect": {"rules": ["nofollow", "noindex"]},
            }
        ],
    ],
    ids=["list", "mapping", "agents", "token", "generated", "no-agent", "octets", "header-mapping"],
)
def test_all_shapes_are_read(tmp_path: Path, capsys: pytest.CaptureFixture[str], document: object) -> None:
    assert run_cases(tmp_path, document) == 0
    assert capsys.readouterr().out == "1 passed, 0 failed\n"


@pytest.mark.parametrize(
    ("case", "told"),
    [
        (SIGNAL | {"category": "moon-phase"}, "unknown kind 'moon-phase'"),
        (SIGNAL | {"category": None}, "unknown kind None"),
        (SIGNAL | {"input": {"robots_b64": "*"}}, "Error"),
        (SIGNAL | {"expect": {}}, "nothing is expected"),
        (ROBOTS | {"user_agent": "a", "standard": "bing"}, "KeyError: 'bing'"),
        (ROBOTS, "KeyError: 'user_agent'"),
    ],
    ids=["unknown-kind", "no-kind", "broken-input", "expects-nothing", "unknown-standard", "no-agent"],
)
def test_what_cannot_be_asked_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], case: dict[str, object], told: str
) -> None:
    assert run_cases(tmp_path, {"cases": [case, SIGNAL | {"id": "good"}]}) == 1
    out = capsys.readouterr().out
    assert told in out and "FAIL case 1" in out
    assert out.endswith("1 passed, 1 failed\n")


@pytest.mark.parametrize("document", [[], {"cases": []}, {"cases": [SIGNAL | {"informative": True}]}])
def test_nothing_scored_is_no_success(tmp_path: Path, capsys: pytest.CaptureFixture[str], document: object) -> None:
    assert run_cases(tmp_path, document) == 1
    assert capsys.readouterr().out.endswith("0 passed, 0 failed\n")


@pytest.mark.parametrize("text", ["", "{", "{}", "7", '{"cases": 3}', "[1]", "[" * 100_000])
def test_a_file_that_is_none_ends_with_two(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    (tmp_path / "v.json").write_text(text)
    assert main([str(tmp_path / "v.json")]) == 2
    assert main([str(tmp_path / "absent.json")]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and "v.json" in captured.err and "absent.json" in captured.err


def test_cases_of_one_name_are_counted_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cases(tmp_path, [SIGNAL | {"id": "x"}, SIGNAL | {"id": "x", "expect": {"crawl_delay": 2}}]) == 1
    assert capsys.readouterr().out.endswith("1 passed, 1 failed\n")
