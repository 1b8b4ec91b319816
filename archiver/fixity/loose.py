"""WARCs, ledger segments and WACZs outside of any collection: what each holds, and revisits among WARCs."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path

from archiver.fixity import pool
from archiver.fixity.files import OPEN, WARC_SUFFIXES, Checked, index_of, size_of
from archiver.fixity.package import check_package
from archiver.ledger.reader import verify_segment
from archiver.warc.audit import WarcAudit, audit_warc
from archiver.warc.verify import unresolved


def is_ours(name: str) -> bool:
    """Whether a file of this name is read: a WARC, a ledger segment, a WACZ; an open WARC is told."""
    is_ledger = name.startswith("ledger-") and name.endswith(".jsonl")
    return is_ledger or name.endswith((*WARC_SUFFIXES, ".warc.gz.open")) or is_package(name)


def is_package(name: str) -> bool:
    """A WACZ, by its name."""
    return name.lower().endswith(".wacz")


def check_files(files: Sequence[Path]) -> Iterator[Checked]:
    """In the order WARCs, then the others. A revisit's original must be among them. Raises OSError."""
    warcs = [path for path in files if path.name.endswith(WARC_SUFFIXES)]
    items = [(path, (index_of(path),)) for path in warcs]
    audits = dict(pool.results(audit_warc, items, at_once=pool.workers(), size=sum(map(size_of, warcs))))
    found = _originals(audits)
    for path in warcs:
        audit = audits[path]
        left = [one for one in audit.report.revisits if found.isdisjoint(one.keys)]
        problems = [*audit.report.errors, *unresolved(path.name, left), *(audit.index or ())]
        yield Checked(
            path=path, name=str(path), told=f"{audit.report.records} records", problems=list(map(str, problems)),
            notes=list(audit.report.notes), sha256=audit.sha256, size=audit.report.size,
        )  # fmt: skip
    for path in files:
        if path.suffix == ".jsonl":
            chain = verify_segment(path).chain
            told = f"{chain.rows} ledger rows"
            yield Checked(path=path, name=str(path), told=told, problems=list(map(str, chain.problems)))
        elif path.suffix == ".open":
            yield Checked(path=path, name=str(path), told=OPEN)
        elif is_package(path.name):
            yield from check_package(path)


def _originals(audits: dict[Path, WarcAudit]) -> set[int]:
    """Of what revisits refer to, what is there."""
    wanted = {key for audit in audits.values() for one in audit.report.revisits for key in one.keys}
    found: set[int] = set()
    for audit in audits.values() if wanted else ():
        found |= wanted.intersection(array("Q", audit.originals))
    return found
