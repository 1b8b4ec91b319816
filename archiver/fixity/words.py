"""What a collection says of itself beside its records: `collection.json`, the page list, access rules for pywb.

They are made from ledger and WARCs, and can be made anew. But damaged rules would show what is hidden, so each line is
looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson

from archiver.fixity.files import Checked, is_file

ABOUT = "collection.json"
PAGES = "pages/pages.jsonl"

_ACCESS = frozenset({"allow", "block", "exclude", "allow_ignore_embargo"})
_RULE = re.compile(rb"\S+ \S+ (\{.*\})\n")
_SHOWN = 200


class Words:
    """`heads` are the ledger heads that `collection.json` names, as (file, hash), once `check` has ended."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.path = root / ABOUT
        self.heads: list[tuple[str, str]] = []

    def check(self) -> Iterator[Checked]:
        """Those of which something is to be said. Raises OSError."""
        looks: list[tuple[Path, Callable[[Checked], None]]] = [(self.path, self._about), (self._root / PAGES, _pages)]
        looks += [(path, _rules) for path in sorted((self._root / "acl").rglob("*.aclj"))]
        for path, look in looks:
            if is_file(path):
                one = self.checked(path)
                look(one)
                del one.problems[_SHOWN:]
                if one.problems or one.notes:
                    yield one

    def checked(self, path: Path) -> Checked:
        """Nothing said of it yet."""
        return Checked(
            path=path, name=path.relative_to(self._root).as_posix(), told="what the collection says of itself"
        )

    def _about(self, one: Checked) -> None:
        try:
            said = orjson.loads(one.path.read_bytes())
            self.heads = [(str(head["file"]), str(head["hash"])) for head in said["ledger"]["heads"]]
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            one.problems.append(f"{ABOUT}: names no ledger heads ({error!r}): damaged; the next run makes it anew")


def _pages(one: Checked) -> None:
    """Lines as WACZ has them (1.1.1, 5.3): a header, then `url` and `ts` a page."""
    count = 0
    with one.path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                one.notes.append(f"an unfinished last line of {len(line)} bytes; the next run cuts it off")
            elif not _is_page(line, first=number == 1):
                one.problems.append(
                    f"{one.path.name} line {number}: no {'header' if number == 1 else 'page'}: {line[:80]!r}"
                )
            else:
                count += number > 1
    one.told = f"{count} pages"


def _is_page(line: bytes, *, first: bool) -> bool:
    try:
        row = orjson.loads(line)
        if first:
            return str(row["format"]).startswith("json-pages-")
        return isinstance(row["url"], str) and isinstance(row["ts"], str)
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return False


def _rules(one: Checked) -> None:
    """`KEY TIME {"access": ...}`, sorted in reverse: pywb takes the first line that fits, and passes over the rest."""
    count, before = 0, b""
    with one.path.open("rb") as file:
        for count, line in enumerate(file, 1):
            match = _RULE.fullmatch(line)
            if match is None or not _is_rule(match[1]):
                one.problems.append(f"{one.path.name} line {count}: no access rule: {line[:80]!r}")
            elif before and line >= before:
                one.problems.append(f"{one.path.name} line {count}: not in reverse order, or there twice")
            before = line
    one.told = f"{count} access rules"


def _is_rule(text: bytes) -> bool:
    try:
        return orjson.loads(text).get("access") in _ACCESS
    except (orjson.JSONDecodeError, AttributeError, TypeError):
        return False
