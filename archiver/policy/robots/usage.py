"""The usage preferences of one group: Content-Usage by path, Content-Signal for all. Read once, asked per URL."""

from __future__ import annotations

from collections.abc import Sequence

from archiver.policy.preferences import Usage, combine_usage, read_content_signals, read_content_usage
from archiver.policy.robots.pattern import Mode, Pattern

Statement = tuple[Pattern | None, dict[str, Usage]]


class GroupPreferences:
    """`signal`: the Content-Signal values together. `usage_lines`, `signal_lines`: all of it as written.

    Content-Usage is given in two readings of the file, for the draft would let it end a run of user-agent lines where
    RFC 9309 does not; what holds is their combination (draft-ietf-aipref-attach-05, 3; RFC 9309, 2.2.4).
    """

    def __init__(self, readings: Sequence[Sequence[str]], signal_lines: Sequence[str], mode: Mode) -> None:
        self.usage_lines = tuple(dict.fromkeys(line for lines in readings for line in lines))
        self.signal_lines = tuple(signal_lines)
        self.signal = read_content_signals(signal_lines)
        self._readings = [[found for line in lines for found in _statement(line, mode)] for lines in readings]

    def usage(self, target: str) -> dict[str, Usage]:
        """The preferences for a path and query, normalised as for `match`."""
        return combine_usage(_longest(statements, target) for statements in self._readings)


def _statement(line: str, mode: Mode) -> list[Statement]:
    """`[path SP] preferences`; a rule whose preferences do not parse is no rule."""
    path, preferences = "", line
    if line.startswith("/"):
        path, _, preferences = line.replace("\t", " ").partition(" ")
    stated = read_content_usage(preferences)
    return [] if stated is None else [(Pattern(path, mode) if path else None, stated)]


def _longest(statements: Sequence[Statement], target: str) -> dict[str, Usage]:
    """The statement with the longest matching path; of several with paths of equal length, the most restrictive."""
    longest = 0
    found: list[dict[str, Usage]] = []
    for pattern, stated in statements:
        octets = 0 if pattern is None else pattern.octets
        if octets < longest or (pattern is not None and not pattern.matches(target)):
            continue
        if octets > longest:
            longest, found = octets, []
        found.append(stated)
    return combine_usage(found)
