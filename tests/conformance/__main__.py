"""`python -m tests.conformance FILE.json ...`"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.conformance import Outcome, run


def main(names: list[str]) -> int:
    if not names:
        print("usage: python -m tests.conformance FILE.json ...", file=sys.stderr)
        return 2
    cases: dict[tuple[str, str], list[Outcome]] = {}
    for name in names:
        for outcome in run(json.loads(Path(name).read_bytes())):
            cases.setdefault((name, outcome.id), []).append(outcome)
    failed = 0
    for (_, case), outcomes in cases.items():
        wrong = [outcome for outcome in outcomes if not outcome.passed]
        failed += bool(wrong)
        for outcome in wrong:
            print(f"FAIL {case} {outcome.what}: expected {outcome.expected!r}, got {outcome.got!r}")
    print(f"{len(cases) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
