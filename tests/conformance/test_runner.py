"""The runner itself: it scores what it should, and can fail."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conformance.__main__ import main

DATA = Path(__file__).parents[1] / "data/conformance"


def test_all_vectors_pass(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(DATA / "robots_vectors.json"), str(DATA / "signal_vectors.json")]) == 0
    assert capsys.readouterr().out == "447 passed, 0 failed\n"


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
        "1 passed, 3 failed",
    ]


def test_without_a_file_it_says_how(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "usage" in capsys.readouterr().err
