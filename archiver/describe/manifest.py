"""Lists of digests as sha256sum(1) reads and writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping

_LINE = re.compile(r"([0-9a-f]{64})  (\S.*)")


def manifest(digests: Mapping[str, str]) -> str:
    """`sha256sum -c` reads it: hex digest, two spaces, path; by path. Names are ours: no line feed, no backslash."""
    return "".join(f"{digests[path]}  {path}\n" for path in sorted(digests))


def read_manifest(text: str) -> dict[str, str]:
    """Digests by path; a line that is none is passed over."""
    return {found[2]: found[1] for line in text.splitlines() if (found := _LINE.fullmatch(line))}
