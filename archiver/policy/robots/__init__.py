"""robots.txt, pure: parse and match (RFC 9309, and Google's dialect), the other records, and what a failed fetch means.

`evaluate` answers one question about one file; `parse` gives a `RobotsFile` to ask many. A verdict names group, rule
and line. `states.classify` says what an answer (or none) to GET /robots.txt means; `origin_of` which file a URL has.
"""

from archiver.policy.robots.caching import (
    MAX_AGE,
    freshened,
    freshness,
    may_be_kept,
    remaining,
    validates,
    validators,
)
from archiver.policy.robots.directives import CleanParam, RequestRate, Window
from archiver.policy.robots.file import RobotsFile, evaluate, parse
from archiver.policy.robots.lines import MAX_BYTES, Kind
from archiver.policy.robots.origin import origin_of, same_robots
from archiver.policy.robots.pattern import Mode, Pattern, path_and_query, rfc_target
from archiver.policy.robots.rules import RobotsVerdict
from archiver.policy.robots.states import (
    MAX_REDIRECTS,
    MAX_UNREACHABLE,
    FetchDecision,
    FetchFacts,
    FetchState,
    Outcome,
    classify,
    retry_wait,
)

__all__ = [
    "MAX_AGE",
    "MAX_BYTES",
    "MAX_REDIRECTS",
    "MAX_UNREACHABLE",
    "CleanParam",
    "FetchDecision",
    "FetchFacts",
    "FetchState",
    "Kind",
    "Mode",
    "Outcome",
    "Pattern",
    "RequestRate",
    "RobotsFile",
    "RobotsVerdict",
    "Window",
    "classify",
    "evaluate",
    "freshened",
    "freshness",
    "may_be_kept",
    "origin_of",
    "parse",
    "path_and_query",
    "remaining",
    "retry_wait",
    "rfc_target",
    "same_robots",
    "validates",
    "validators",
]
