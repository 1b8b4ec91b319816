"""One plain sentence for each Reason and FailureCode, and what a person may lawfully do next. Pure data.

`why`, the report and docs/auditor/reasons.md say the same words because they all take them from here. `{host}` stands
for the URL's host.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from archiver.model import FailureCode, Reason


class Way(StrEnum):
    """A lawful way on. None of them goes around a site's refusal."""

    WAIT = "Wait, then run the same command again: robots.txt and the host's pace are asked anew."
    CONTACT = (
        "Ask the people behind {host} (its imprint or security.txt names them): they can allow our agent in "
        "robots.txt, or give you a copy."
    )
    BY_HAND = "Look at the page in your own browser, and if you may keep it, make a capture by hand there."
    WIDEN = "Widen the crawl's scopeType or include patterns, or save this one URL by itself with `archiver save`."
    EXCLUDE = "Take the exclude pattern out of the crawl's configuration if the URL is wanted."
    LIMIT = "Raise the limit in the crawl's configuration, or save this URL by itself with `archiver save`."
    RESUME = "Run the same crawl again: it goes on where it stopped."
    RETRY = "Try again later: many such faults pass."
    CHECK_URL = "Check the URL and write it anew."
    OWN_ADDRESS = "If {host} is your own, name it with `--allow-address HOST:PORT`."
    OWN_VIEW = "`archiver replay` on this machine shows it to you; what is published follows the site's wish."
    TELL_SITE = "Tell the people behind {host}: their server is at fault, and other programs fail there too."
    REPORT = "Please report this as a fault of archiver, with this text."
    SETTING = "The policy in the crawl's configuration decides this; changing it needs a stated legal basis."


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """`says` is one or two sentences; `ways` in the order of what helps most."""

    says: str
    ways: tuple[Way, ...] = ()


_FULL_SITE = (Way.CONTACT, Way.BY_HAND)

REASONS: dict[Reason, Meaning] = {
    Reason.ALLOWED: Meaning(says="Every rule that could object was asked, and none did."),
    Reason.OUT_OF_SCOPE: Meaning(says="The URL lies outside the scope of this crawl.", ways=(Way.WIDEN,)),
    Reason.USER_EXCLUSION: Meaning(
        says="An exclude pattern in the crawl's configuration matches the URL.", ways=(Way.EXCLUDE,)
    ),
    Reason.REDIRECT_TO_EXCLUDED: Meaning(
        says="A redirect led here, and the crawl's scope or an exclude pattern keeps this URL out.",
        ways=(Way.WIDEN, Way.EXCLUDE),
    ),
    Reason.PAGE_LIMIT: Meaning(
        says="The crawl had fetched as many pages as it may before this URL's turn came.", ways=(Way.LIMIT,)
    ),
    Reason.DEPTH_LIMIT: Meaning(
        says="The page is more links away from its seed than the crawl may follow.", ways=(Way.LIMIT,)
    ),
    Reason.TIME_LIMIT: Meaning(
        says="The time that the run or the visit may take was used up.", ways=(Way.RESUME, Way.LIMIT)
    ),
    Reason.INTERRUPTED: Meaning(says="The run was stopped before this URL was fetched.", ways=(Way.RESUME,)),
    Reason.DISK_UTILIZATION: Meaning(
        says="The disk was as full as `diskUtilization` allows, so nothing more was asked for.", ways=(Way.RESUME,)
    ),
    Reason.DUPLICATE: Meaning(says="The same URL, by its canonical form, is dealt with elsewhere in this job."),
    Reason.NOFOLLOW: Meaning(
        says="The page or the link asks crawlers not to follow it (nofollow).", ways=(Way.WIDEN, Way.CONTACT)
    ),
    Reason.ROBOTS_TXT: Meaning(
        says="The robots.txt of {host} disallows this URL for our agent, so it was not fetched.", ways=_FULL_SITE
    ),
    Reason.ROBOTS_UNREACHABLE: Meaning(
        says="The robots.txt of {host} could not be had (network error, 429 or 5xx). As long as nobody can say what it "
        "forbids, nothing is fetched there (RFC 9309, 2.3.1.4).",
        ways=(Way.WAIT, *_FULL_SITE),
    ),
    Reason.RATE_LIMITED: Meaning(
        says="{host} asked for a rest (429, 503 or Retry-After), and gets it.", ways=(Way.WAIT, *_FULL_SITE)
    ),
    Reason.CRAWL_DELAY_BUDGET: Meaning(
        says="The robots.txt of {host} asks for so long a pause between requests that this one did not fit into its "
        "visit any more.",
        ways=(Way.LIMIT, *_FULL_SITE),
    ),
    Reason.VISIT_TIME: Meaning(
        says="The robots.txt of {host} names the hours in which it may be visited, and this is not one of them.",
        ways=(Way.WAIT, Way.CONTACT),
    ),
    Reason.REQUISITE_LIMIT: Meaning(
        says="The page asks one host for more files or bytes than one visit may take there.", ways=(Way.LIMIT,)
    ),
    Reason.SIZE_LIMIT: Meaning(
        says="The answer is larger than the size limit; what came before is kept and marked as cut.", ways=(Way.LIMIT,)
    ),
    Reason.PRIVATE_ADDRESS: Meaning(
        says="{host} leads to a private, local or otherwise not public address; pages of strangers must not make us "
        "fetch from there.",
        ways=(Way.OWN_ADDRESS, Way.CHECK_URL),
    ),
    Reason.BAD_PORT: Meaning(
        says="The URL names a port other than the web's usual ones.", ways=(Way.OWN_ADDRESS, Way.CHECK_URL)
    ),
    Reason.UNSUPPORTED_SCHEME: Meaning(says="Only http and https URLs are fetched.", ways=(Way.CHECK_URL,)),
    Reason.CREDENTIALS_IN_URL: Meaning(
        says="The URL holds a user name or a password, which would be written into the archive.", ways=(Way.CHECK_URL,)
    ),
    Reason.TOO_MANY_REDIRECTS: Meaning(
        says="One redirect led to the next, more often than is followed.", ways=(Way.CHECK_URL, Way.TELL_SITE)
    ),
    Reason.TRAP: Meaning(
        says="The URL looks like one of an endless series (a calendar, a repeating path, a session id).",
        ways=(Way.WIDEN,),
    ),
    Reason.HIDDEN: Meaning(
        says="Somebody hid this URL in this collection; it is neither shown nor fetched again until that is taken back."
    ),
    Reason.NOARCHIVE: Meaning(
        says="The page asks not to be archived for the public (noarchive or none).", ways=(Way.OWN_VIEW, Way.CONTACT)
    ),
    Reason.TDM_RESERVED: Meaning(
        says="The site reserves its rights against text and data mining (TDMRep).", ways=(Way.CONTACT, Way.SETTING)
    ),
    Reason.CREDENTIALED: Meaning(
        says="It was fetched with cookies or credentials you supplied, so it may hold what is meant for you alone.",
        ways=(Way.OWN_VIEW,),
    ),
    Reason.UNAVAILABLE_FOR_LEGAL_REASONS: Meaning(
        says="{host} answered 451: it may not show this URL for legal reasons.", ways=(Way.CONTACT,)
    ),
    Reason.CONSENT_BLOCKED: Meaning(
        says="A consent notice that cannot be declined stands before the page, and consent is never given for you.",
        ways=_FULL_SITE,
    ),
    Reason.FAILED: Meaning(says="No usable answer came.", ways=(Way.RETRY,)),
}

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
Where Browsertrix has a word for a reason, it is the same word. None of the ways on goes around a site's refusal.
"""


def as_markdown() -> str:
    """docs/auditor/reasons.md."""
    parts = [_INTRODUCTION, "## Policy: why a URL was allowed, kept, hidden, refused, deferred or left\n"]
    parts += [_section(reason.value, REASONS[reason]) for reason in Reason]
    parts.append("## Network: why there is no answer (`failure.code`)\n")
    parts += [_section(code.value, FAILURES[code]) for code in FailureCode]
    return "\n".join(parts)


def _section(name: str, about: Meaning) -> str:
    ways = "".join(f"- {way.value}\n" for way in about.ways)
    text = f"{about.says}\n" + (f"\n{ways}" if ways else "")
    return f"### `{name}`\n\n{text.replace('{host}', 'HOST')}"


if __name__ == "__main__":
    print(as_markdown(), end="")
