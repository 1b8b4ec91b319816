"""The printed pages are current, and name every key and every exit code."""

from __future__ import annotations

import re
from pathlib import Path

from archiver import errors
from archiver.config import docs
from archiver.config.read import KNOWN

OPERATOR = Path(__file__).parents[2] / "docs/operator"

# Browsertrix's list, with what is ours from 30 on
CONVENTION = {0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 21, 22, 30, 31, 32, 33}
NEVER_GIVEN = {8, 17, 18, 21}


def test_config_page_is_what_the_code_prints() -> None:
    assert (OPERATOR / "config.md").read_text() == docs.page() + "\n", "run python -m archiver.config.docs"


def test_config_page_names_every_key() -> None:
    page = docs.page()
    for mapping, names in KNOWN.items():
        for name in names:
            assert re.search(rf"[`.]{re.escape(name)}\b", page), f"{mapping}.{name}"


def test_exit_codes_are_those_of_the_errors_and_the_convention() -> None:
    page = (OPERATOR / "exit-codes.md").read_text()
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)}
    raised = {one.exit_code for one in vars(errors).values() if isinstance(one, type) and hasattr(one, "exit_code")}
    assert raised <= listed
    assert listed == CONVENTION - NEVER_GIVEN
    for code in NEVER_GIVEN:
        assert re.search(rf"\b{code} \(", page)
