"""The documents say what the code does: names, numbers, links, sizes, printed output and recorded examples."""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from archiver.cli.main import VERBS, _module
from archiver.cli.schemas import RESULT_SCHEMA
from archiver.config import model as config_model
from archiver.config.read import KNOWN
from archiver.config.schema import camel
from archiver.model import Access, FailureCode, Reason
from archiver.policy import tables
from archiver.policy.profiles import RobotsLines, SignalLines
from tests.documents import ROOT, Block, blocks, pages, with_ports
from tests.system.cli import archiver

DOCS = ROOT / "docs"
LEDGER_SCHEMA: dict[str, Any] = json.loads((ROOT / "archiver/ledger/schema.json").read_text("utf-8"))
ALL = "\n".join(page.read_text("utf-8") for page in pages())
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_FENCED = re.compile(r"^```.*?^```$", re.M | re.S)


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*(one.value for one in Reason), *(one.value for one in FailureCode)])
def test_reasons_and_failure_codes_have_a_heading(name: str) -> None:
    assert re.search(rf"^### `{name}`$", read("docs/auditor/reasons.md"), re.M)


@pytest.mark.parametrize("access", list(Access))
def test_access_classes_are_explained(access: Access) -> None:
    assert f"`{access.value}`" in read("docs/glossary.md")
    assert access.value in read("docs/archivist/warc.md")


@pytest.mark.parametrize("verb", VERBS)
def test_verbs_have_a_row_and_stand_in_the_readme(verb: str) -> None:
    assert f"| `archiver {verb}` |" in read("docs/README.md")
    assert f"archiver {verb} " in read("README.md") or f"archiver {verb}\n" in read("README.md")


def options() -> Iterator[tuple[str, str]]:
    for verb in VERBS:
        parser = argparse.ArgumentParser(add_help=False)
        _module(verb).add_arguments(parser)
        for action in parser._actions:
            yield from ((verb, name) for name in action.option_strings)


@pytest.mark.parametrize(("verb", "option"), [*options()])
def test_options_have_a_row(verb: str, option: str) -> None:
    rows = [row for row in read("docs/operator/crawling.md").splitlines() if row.startswith("| `--")]
    found = [row for row in rows if f"`{option}`" in row.split("|")[1]]
    verbs = [row.split("|")[2] for row in found]
    assert any(
        f"`{verb}`" in cell or ("all but" in cell and f"`{verb}`" not in cell.partition("all but")[2]) for cell in verbs
    ), f"{verb} {option}: {verbs}"


def test_config_keys_have_a_row() -> None:
    """A key in backticks, alone or behind its mapping (`storage.bucket`); a mapping has rows of its own."""
    page = read("docs/operator/config.md")
    for mapping, names in KNOWN.items():
        missing = [name for name in names if not re.search(rf"[`.]{re.escape(name)}[`.]", page)]
        assert not missing, f"{mapping or 'top level'}: {missing}"


def test_exit_codes_have_a_row() -> None:
    page = read("docs/operator/exit-codes.md")
    for path in [ROOT / "archiver/errors.py", *(ROOT / "archiver/cli").glob("*.py")]:
        for code in re.findall(r"(?:exit_code = |EXIT_\w+ = |return )(\d+)\b", path.read_text("utf-8")):
            assert re.search(rf"^\| {code} \|", page, re.M), f"{path.name}: {code}"


def test_policies_page_is_what_the_code_prints() -> None:
    assert read("docs/auditor/policies.md") == tables.page(), "make docs"


def test_every_decision_is_listed() -> None:
    index = read("docs/adr/README.md")
    for name in sorted(path.name for path in (DOCS / "adr").glob("0*.md")):
        assert f"]({name})" in index, f"docs/adr/README.md has no row for {name}"
        text = read(f"docs/adr/{name}")
        assert text.startswith(f"# {name[:4]}. ")
        assert re.search(r"^Date: \d{4}-\d\d-\d\d\b", text, re.M)
        assert all(f"\n## {part}\n" in text for part in ("Context", "Decision", "Consequences")), name


# --- keys that do nothing yet -----------------------------------------------------------------------------------------

# A field counts as acted on when some module outside the configuration reads an attribute of its name; these names are
# attributes of other things too and are looked for behind the name of their section.
_SECTIONS: dict[str, type] = {
    "limits": config_model.Limits,
    "pace": config_model.Pace,
    "job": config_model.Job,
    "browsing": config_model.Browsing,
    "basis": config_model.Basis,
    "robots": RobotsLines,
    "signals": SignalLines,
}
_AMBIGUOUS = {"lane", "title", "description", "noindex", "usage", "consent", "fetch", "behaviors", "screenshot"}
# read by the configuration itself, as `labels`, `require_complete`, `size` and `views`
_INSIDE = {"note", "case", "tags", "require", "viewport", "screenshot", "text", "dom", "pdf"}


def without_effect() -> set[str]:
    sources = [
        path.read_text("utf-8")
        for path in (ROOT / "archiver").rglob("*.py")
        if path.parts[-2] != "config" and path.name not in ("profiles.py", "tables.py")
    ]
    code = "\n".join(sources)
    found = set()
    for section, cls in _SECTIONS.items():
        prefix = f"{section}." if section in ("robots", "signals") else ""
        for field in dataclasses.fields(cls):
            before = rf"(?:\b{section}|lines)" if field.name in _AMBIGUOUS else ""
            if field.name not in _INSIDE and not re.search(rf"{before}\.{field.name}\b", code):
                found.add(prefix + camel(field.name))
    return found


def test_keys_without_effect_are_told() -> None:
    """When a key begins to work, take it out of the list in docs/operator/crawling.md; when one stops, put it in."""
    section = read("docs/operator/crawling.md").partition("## Keys without effect yet")[2]
    told = {
        key
        for row in section.splitlines()
        if row.startswith("| `")
        for key in re.findall(r"`([^`]+)`", row.split("|")[1])
    }
    assert told == without_effect()


# --- links, sizes, words ----------------------------------------------------------------------------------------------


def slug(heading: str) -> str:
    """GitHub's anchor of a heading."""
    text = re.sub(r"[`*]", "", heading.strip().lower())
    return re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", text))


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in _LINK.findall(_FENCED.sub("", page.read_text("utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        there = page if not name else (page.parent / name).resolve()
        assert there.exists(), f"{page.relative_to(ROOT)}: {target}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", _FENCED.sub("", there.read_text("utf-8")), re.M)
            assert anchor in map(slug, headings), f"{page.relative_to(ROOT)}: {target}"


def test_sizes() -> None:
    assert len(read("README.md").splitlines()) < 120
    assert len(read("ARCHITECTURE.md").splitlines()) <= 150


def test_first_screen_says_what_it_refuses() -> None:
    screen = "\n".join(read("README.md").splitlines()[:40])
    for words in (
        "**It does:**",
        "**It refuses:**",
        "**You will notice:**",
        "**Use something else**",
        "make save",
        "make test",
    ):
        assert words in screen


def test_no_document_names_a_package_registry() -> None:
    hosts = ("py" + "pi.org", "python" + "hosted", "npm" + "js.", "crates" + ".io", "registry" + ".", "conda.anaconda")
    assert not [host for host in hosts if host in ALL]


def test_lines_are_readable() -> None:
    """Prose wraps; tables, links, recorded examples and headings may be longer."""
    for page in pages():
        for number, line in enumerate(_FENCED.sub("", page.read_text("utf-8")).splitlines(), 1):
            assert len(line) <= 200 or line.startswith(("|", "    ", "<!--")), f"{page.name}:{number}"


# --- what the demo prints ---------------------------------------------------------------------------------------------


def demo_blocks() -> list[tuple[str, str]]:
    found = []
    for page in pages():
        for text in re.findall(
            r"^<!-- demo -->\n```\n(.*?)^```\n<!-- /demo -->$", page.read_text("utf-8"), re.M | re.S
        ):
            found.append((str(page.relative_to(ROOT)), text))
    return found


@pytest.mark.system
def test_the_demo_prints_what_the_documents_show(tmp_path: Path) -> None:
    ran = archiver("save", "--demo", cwd=tmp_path)
    assert ran.code == 0, ran.err
    shown = demo_blocks()
    assert [page for page, _ in shown] == ["README.md", "docs/archivist/first-steps.md"]
    for page, text in shown:
        assert without_sizes(with_ports(ran.out)) == without_sizes(text), page


def without_sizes(text: str) -> str:
    """The bytes from the wire vary with the length of the port numbers and the date in the server's head."""
    return re.sub(r"\([\d,]+ bytes", "(N bytes", text)


# --- recorded examples ------------------------------------------------------------------------------------------------

EXAMPLES: dict[str, Block] = {block.name: block for block in blocks(DOCS / "auditor/evidence.md") if block.name}


@pytest.mark.parametrize(
    ("name", "status", "verdict"),
    [
        ("archived", "archived", "complete"),
        ("refused", "refused", "document-only"),
        ("deferred", "deferred", "document-only"),
        ("gap", "archived", "gaps"),
    ],
)
def test_json_examples_follow_the_schema(name: str, status: str, verdict: str) -> None:
    found = json.loads(EXAMPLES[name].text)
    jsonschema.validate(found, RESULT_SCHEMA)
    assert (found["status"], found["completeness"]["verdict"]) == (status, verdict)
    assert (found["decision"]["not_before"] is not None) == (status == "deferred")


def test_every_key_of_the_output_is_explained() -> None:
    page = read("docs/auditor/evidence.md")
    for key in RESULT_SCHEMA["properties"]:
        assert re.search(rf"^\| .*`{key}`.* \|", page, re.M), key


@pytest.mark.parametrize("name", ["rows", "refused-row", "override-rows"])
def test_row_examples_hold(name: str) -> None:
    body_schema = {
        **LEDGER_SCHEMA,
        **LEDGER_SCHEMA["$defs"]["body"],
        "required": ["event"],
        "additionalProperties": True,
    }
    for line in EXAMPLES[name].text.splitlines():
        row = json.loads(line)
        jsonschema.validate(row, LEDGER_SCHEMA)
        assert row["leaf"] == sha256((row["salt"] + row["body"]).encode()).hexdigest()
        assert row["hash"] == sha256((row["prev"] + row["leaf"]).encode()).hexdigest()
        jsonschema.validate(
            json.loads(row["body"]), {**body_schema, "properties": LEDGER_SCHEMA["$defs"]["body"]["properties"]}
        )


def test_an_override_is_a_pair_of_rows_with_both_verdicts() -> None:
    decision, override = (json.loads(json.loads(line)["body"]) for line in EXAMPLES["override-rows"].text.splitlines())
    note = decision["notes"]["override"]
    assert (decision["event"], decision["verdict"], note["instead"]["verdict"]) == ("decision", "allow", "refuse")
    assert override["event"] == "override"
    assert {name: override[name] for name in ("what", "because", "by", "instead")} == note


def test_row_pair_is_a_decision_and_its_outcome() -> None:
    decision, outcome = (json.loads(json.loads(line)["body"]) for line in EXAMPLES["rows"].text.splitlines())
    assert (decision["event"], outcome["event"]) == ("decision", "outcome")
    assert decision["url"] == outcome["url"]
    archived = json.loads(EXAMPLES["archived"].text)
    assert archived["url"] == decision["url"]
    assert outcome["record"]["record_id"] == archived["records"][0]["record_id"]


@pytest.mark.parametrize("name", ["policy-record", "refused-record"])
def test_policy_record_examples_are_whole(name: str) -> None:
    head, _, block = EXAMPLES[name].text.removesuffix("\n").partition("\n\n")
    fields = dict(line.split(": ", 1) for line in head.splitlines()[1:])
    payload = block.replace("\n", "\r\n").encode() + b"\r\n"
    assert fields["Content-Length"] == str(len(payload))
    assert fields["WARC-Block-Digest"] == f"sha256:{sha256(payload).hexdigest()}"
    assert fields["WARC-Target-URI"].startswith("urn:policy:http")
    assert fields["Content-Type"] == "application/warc-fields"
    text = dict(line.split(": ", 1) for line in block.splitlines())["policy"]
    policy = json.loads(text)
    shown = json.loads(EXAMPLES["archived" if name == "policy-record" else "refused"].text)
    assert policy["url"] == shown["url"]
    assert (policy["decision"]["reason"], policy["evidence"]) == (
        shown["decision"]["reason"],
        shown["decision"]["evidence"],
    )
