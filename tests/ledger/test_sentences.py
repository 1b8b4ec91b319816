"""Every reason and every failure has its sentence, and the page in the documentation is made of them."""

import runpy
from pathlib import Path

import pytest

from archiver.ledger import sentences
from archiver.ledger.sentences import FAILURES, REASONS, Meaning, as_markdown, meaning
from archiver.model import FailureCode, Reason

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/auditor/reasons.md"
SETTLED = {Reason.ALLOWED, Reason.DUPLICATE, Reason.HIDDEN}


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_sentence_and_a_way_on(reason: Reason) -> None:
    about = REASONS[reason]
    assert about.says.endswith((".", ")."))
    assert bool(about.ways) == (reason not in SETTLED)
    assert meaning(reason.value) is about


@pytest.mark.parametrize("code", FailureCode)
def test_every_failure_has_a_sentence_and_a_way_on(code: FailureCode) -> None:
    about = FAILURES[code]
    assert about.says.endswith(".")
    assert about.ways
    assert meaning(code.value).says == about.says


def test_a_reason_of_a_newer_version_is_named_as_it_stands() -> None:
    assert meaning("moonrise") == Meaning(says="The reason is recorded as 'moonrise'.")
    assert meaning("").says == "No reason is recorded."


def test_the_page_is_printed_by_one_command(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(sentences.__file__), run_name="__main__")
    assert capsys.readouterr().out == as_markdown()


def test_the_documentation_is_made_from_the_sentences() -> None:
    assert DOCUMENT.read_text() == as_markdown(), "python -m archiver.ledger.sentences > docs/auditor/reasons.md"
    for name in [*Reason, *FailureCode]:
        assert f"### `{name.value}`\n" in as_markdown()
