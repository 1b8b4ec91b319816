"""One plain sentence for each Reason and FailureCode; what may lawfully be done next: `policy.ways`. Pure data.

`why`, the report and docs/auditor/reasons.md say the same words because they all take them from here. `{host}` stands
for the URL's host.
"""

from __future__ import annotations

from dataclasses import dataclass

from archiver.model import FailureCode, Reason
from archiver.policy.ways import TEXTS, WAYS, Way


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """`says` is one or two sentences; `ways` in the order of what helps most."""

    says: str
    ways: tuple[Way, ...] = ()


_SAYS: dict[Reason, str] = {
    Reason.ALLOWED: "Every rule that could object was asked, and none did.",
    Reason.OUT_OF_SCOPE: "The URL lies outside the scope of this crawl.",
    Reason.USER_EXCLUSION: "An exclude pattern in the crawl's configuration matches the URL.",
    Reason.REDIRECT_TO_EXCLUDED: (
        "A redirect led here, and the crawl's scope or an exclude pattern keeps this URL out."
    ),
    Reason.PAGE_LIMIT: "The crawl had fetched as many pages as it may before this URL's turn came.",
    Reason.DEPTH_LIMIT: "The page is more links away from its seed than the crawl may follow.",
    Reason.TIME_LIMIT: "The time that the run or the visit may take was used up.",
    Reason.INTERRUPTED: "The run was stopped before this URL was fetched.",
    Reason.SPOOL_LIMIT: "More waited for the object store than `storage.spoolLimit` allows; no more was asked for.",
    Reason.DISK_UTILIZATION: "The disk was as full as `diskUtilization` allows, so nothing more was asked for.",
    Reason.DUPLICATE: "The same URL, by its canonical form, is dealt with elsewhere in this job.",
    Reason.NOFOLLOW: "The page or the link asks crawlers not to follow it (nofollow).",
    Reason.ROBOTS_TXT: "The robots.txt of {host} disallows this URL for our agent, so it was not fetched.",
    Reason.ROBOTS_UNREACHABLE: (
        "The robots.txt of {host} could not be had (network error, 429 or 5xx). As long as nobody can say what it "
        "forbids, nothing is fetched there (RFC 9309, 2.3.1.4)."
    ),
    Reason.RATE_LIMITED: "{host} asked for a rest (429, 503 or Retry-After), and gets it.",
    Reason.CRAWL_DELAY_BUDGET: (
        "The robots.txt of {host} asks for so long a pause between requests that this one did not fit into its "
        "visit any more, or that the policy leaves the host altogether."
    ),
    Reason.VISIT_TIME: (
        "The robots.txt of {host} names the hours in which it may be visited, and this is not one of them."
    ),
    Reason.REQUISITE_LIMIT: "The page asks one host for more files or bytes than one visit may take there.",
    Reason.SIZE_LIMIT: "The answer is larger than the size limit; what came before is kept and marked as cut.",
    Reason.PRIVATE_ADDRESS: (
        "{host} leads to a private, local or otherwise not public address; pages of strangers must not make us "
        "fetch from there."
    ),
    Reason.BAD_PORT: "The URL names a port other than the web's usual ones.",
    Reason.UNSUPPORTED_SCHEME: "Only http and https URLs are fetched.",
    Reason.CREDENTIALS_IN_URL: "The URL holds a user name or a password, which would be written into the archive.",
    Reason.TOO_MANY_REDIRECTS: "One redirect led to the next, more often than is followed.",
    Reason.TRAP: "The URL looks like one of an endless series (a calendar, a repeating path, a session id).",
    Reason.HIDDEN: (
        "Somebody hid this URL in this collection; it is neither shown nor fetched again until that is taken back."
    ),
    Reason.OVERRIDE: (
        "robots.txt had something against this, and a person lifted that by name for one URL and one visit. The "
        "capture is restricted until it is opened."
    ),
    Reason.NOARCHIVE: "The page asks not to be archived for the public (noarchive or nocache).",
    Reason.NOINDEX: "The page asks to be left out of indexes (noindex), and the policy keeps it for the reading room.",
    Reason.TDM_RESERVED: "The site reserves its rights against text and data mining (TDMRep).",
    Reason.CREDENTIALED: (
        "It was fetched with cookies or credentials you supplied, so it may hold what is meant for you alone."
    ),
    Reason.UNAVAILABLE_FOR_LEGAL_REASONS: "{host} answered 451: it may not show this URL for legal reasons.",
    Reason.CONSENT_BLOCKED: (
        "A consent notice that cannot be declined stands before the page, and consent is never given for you."
    ),
    Reason.FAILED: "No usable answer came.",
}

REASONS: dict[Reason, Meaning] = {reason: Meaning(says=says, ways=WAYS[reason]) for reason, says in _SAYS.items()}

FAILURES: dict[FailureCode, Meaning] = {
    FailureCode.DNS_ERROR: Meaning(
        says="The name {host} could not be resolved to an address.", ways=(Way.CHECK_URL, Way.RETRY)
    ),
    FailureCode.CONNECT_ERROR: Meaning(
        says="{host} took no connection (refused, reset or no route).", ways=(Way.RETRY, Way.CHECK_URL)
    ),
    FailureCode.CONNECT_TIMEOUT: Meaning(
        says="{host} did not answer the attempt to connect in time.", ways=(Way.RETRY,)
    ),
    FailureCode.TLS_ERROR: Meaning(
        says="No secure connection to {host} came about: its certificate or its protocol is not acceptable.",
        ways=(Way.TELL_SITE, Way.RETRY),
    ),
    FailureCode.IDLE_TIMEOUT: Meaning(says="{host} fell silent before the head of its answer.", ways=(Way.RETRY,)),
    FailureCode.TOTAL_TIMEOUT: Meaning(
        says="The head of the answer took longer than a request may.", ways=(Way.RETRY, Way.LIMIT)
    ),
    FailureCode.DISCONNECTED: Meaning(says="{host} closed the connection without an answer.", ways=(Way.RETRY,)),
    FailureCode.PROTOCOL_ERROR: Meaning(
        says="{host} answered with something that is not HTTP/1.1.", ways=(Way.TELL_SITE, Way.CHECK_URL)
    ),
    FailureCode.HEADER_LIMIT: Meaning(
        says="The headers of the answer are larger than is accepted.", ways=(Way.TELL_SITE,)
    ),
    FailureCode.TOO_MANY_REDIRECTS: REASONS[Reason.TOO_MANY_REDIRECTS],
    FailureCode.CHALLENGE: Meaning(
        says="{host} put a challenge (a captcha or the like) before the page; none is solved or gone round.",
        ways=(Way.CONTACT, Way.BY_HAND),
    ),
    FailureCode.INTERNAL: Meaning(
        says="A fault of archiver itself stopped this request.", ways=(Way.REPORT, Way.RETRY)
    ),
}


def meaning(reason: str) -> Meaning:
    """By value; a reason of a newer version is named as it stands."""
    if reason in REASONS:
        return REASONS[Reason(reason)]
    if reason in FAILURES:
        return FAILURES[FailureCode(reason)]
    return Meaning(says=f"The reason is recorded as {reason!r}." if reason else "No reason is recorded.")


_INTRODUCTION = """# Reasons

<!-- Made from archiver/ledger/sentences.py by `python -m archiver.ledger.sentences`; a test compares. -->

Every decision, every kept answer and every gap carries one of these words, in the ledger, in `--json` and in reports.
`archiver why URL` says the sentence, the rule and line behind it, and the ways on. `HOST` stands for the URL's host.
Where Browsertrix has a word for a reason, it is the same word. None of the ways on goes around a
site's refusal in silence: an override carries a name and a reason.
"""


def as_markdown() -> str:
    """docs/auditor/reasons.md."""
    parts = [_INTRODUCTION, "## Policy: why a URL was allowed, kept, hidden, refused, deferred or left\n"]
    parts += [_section(reason.value, REASONS[reason]) for reason in Reason]
    parts.append("## Network: why there is no answer (`failure.code`)\n")
    parts += [_section(code.value, FAILURES[code]) for code in FailureCode]
    return "\n".join(parts)


def _section(name: str, about: Meaning) -> str:
    ways = "".join(f"- {TEXTS[way]}\n" for way in about.ways)
    text = f"{about.says}\n" + (f"\n{ways}" if ways else "")
    return f"### `{name}`\n\n{text.replace('{host}', 'HOST')}"


if __name__ == "__main__":
    print(as_markdown(), end="")
