"""`python -m tests.conformance FILE.json ...`"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.conformance import Outcome, cases_of, run, scored


def main(names: list[str]) -> int:
    if not names:
        print("usage: python -m tests.conformance FILE.json ...", file=sys.stderr)
        return 2
    documents: list[tuple[str, Any]] = []
    for name in names:
        try:
            documents.append((name, json.loads(Path(name).read_bytes())))
            cases_of(documents[-1][1])
        except (OSError, ValueError, RecursionError) as exc:
            print(f"{name}: {exc}", file=sys.stderr)
            return 2
    return _report(documents)


def _report(documents: list[tuple[str, Any]]) -> int:
    cases: dict[tuple[str, str], list[Outcome]] = {}
    unscored = 0
    for name, document in documents:
        unscored += sum(not scored(case) for case in cases_of(document))
        for outcome in run(document):
            cases.setdefault((name, outcome.id), []).append(outcome)
    failed = 0
    for (_, case), outcomes in cases.items():
        wrong = [outcome for outcome in outcomes if not outcome.passed]
        failed += bool(wrong)
        for outcome in wrong:
            print(f"FAIL {case} {outcome.what}: expected {outcome.expected!r}, got {outcome.got!r}")
    if unscored:
        print(f"{unscored} not scored (contested or informative)")
    print(f"{len(cases) - failed} passed, {failed} failed")
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
