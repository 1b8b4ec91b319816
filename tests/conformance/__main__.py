"""`python -m tests.conformance FILE.json ...`"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.conformance import cases_of, outcomes, scored


def main(names: list[str]) -> int:
    if not names:
        print("usage: python -m tests.conformance FILE.json ...", file=sys.stderr)
        return 2
    cases: list[dict[str, Any]] = []
    for name in names:
        try:
            cases += cases_of(json.loads(Path(name).read_bytes()))
        except (OSError, ValueError, RecursionError) as exc:
            print(f"{name}: {exc}", file=sys.stderr)
            return 2
    asked = [case for case in cases if scored(case)]
    failed = sum(_tell(case) for case in asked)
    if len(asked) < len(cases):
        print(f"{len(cases) - len(asked)} not scored (contested or informative)")
    print(f"{len(asked) - failed} passed, {failed} failed")
    return 1 if failed or not asked else 0


def _tell(case: dict[str, Any]) -> bool:
    """Whether a case failed; prints what did."""
    wrong = [outcome for outcome in outcomes(case) if not outcome.passed]
    for outcome in wrong:
        print(f"FAIL {outcome.id} {outcome.what}: expected {outcome.expected!r}, got {outcome.got!r}")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
