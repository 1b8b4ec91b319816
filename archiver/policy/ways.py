"""The lawful ways on from a refusal, a deferral or a dark capture: for each Reason which, in what words, what to type.

A way stands where it is lawful and can help: waiting where time helps, an override where `policy.override` knows one.
Nobody is told how to get round a private address, a rest, a 451 or a takedown.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

from archiver.model import Kind, Reason
from archiver.policy.override import LIFTS, Lift

SHORTEST_WAIT = 2
LONGEST_WAIT = 7 * 24
"""Hours that a `--wait` in a command holds at least and at most."""


class Way(StrEnum):
    """The names that `ways` in JSON uses."""

    WAIT = "wait"
    CONTACT = "contact"
    OVERRIDE = "override"
    BY_HAND = "byHand"
    WIDEN = "widen"
    EXCLUDE = "exclude"
    LIMIT = "limit"
    RESUME = "resume"
    RETRY = "retry"
    CHECK_URL = "checkUrl"
    OWN_ADDRESS = "ownAddress"
    OWN_VIEW = "ownView"
    OPEN = "open"
    TELL_SITE = "tellSite"
    REPORT = "report"
    SETTING = "setting"


TEXTS: Mapping[Way, str] = {
    Way.WAIT: "Wait: robots.txt and the host's pace are asked anew, and the page is fetched once when they allow it.",
    Way.CONTACT: "Ask the people behind {host} (its imprint or security.txt names them): they can allow our agent in "
    "robots.txt, or give you a copy.",
    Way.OVERRIDE: "If you have the right to and answer for it by name: lift this for one URL and one visit; the "
    "capture is restricted.",
    Way.BY_HAND: "Look at the page in your own browser, and if you may keep it, make a capture by hand there.",
    Way.WIDEN: "Widen the crawl's scopeType or include patterns, or save this one URL by itself with `archiver save`.",
    Way.EXCLUDE: "Take the exclude pattern out of the crawl's configuration if the URL is wanted.",
    Way.LIMIT: "Raise the limit in the crawl's configuration, or save this URL by itself with `archiver save`.",
    Way.RESUME: "Run the same crawl again: it goes on where it stopped.",
    Way.RETRY: "Try again later: many such faults pass.",
    Way.CHECK_URL: "Check the URL and write it anew.",
    Way.OWN_ADDRESS: "If {host} is your own, name it with `--allow-address HOST:PORT`.",
    Way.OWN_VIEW: "`archiver replay` on this machine shows it to you; what is published follows the site's wish.",
    Way.OPEN: "`archiver open` shows it in public replay; who opened it and why stands in the ledger.",
    Way.TELL_SITE: "Tell the people behind {host}: their server is at fault, and other programs fail there too.",
    Way.REPORT: "Please report this as a fault of archiver, with this text.",
    Way.SETTING: "The policy in the crawl's configuration decides this; changing it needs a stated legal basis.",
}

_ASK = (Way.CONTACT, Way.BY_HAND)

WAYS: Mapping[Reason, tuple[Way, ...]] = {
    Reason.ALLOWED: (),
    Reason.OUT_OF_SCOPE: (Way.WIDEN,),
    Reason.USER_EXCLUSION: (Way.EXCLUDE,),
    Reason.REDIRECT_TO_EXCLUDED: (Way.WIDEN, Way.EXCLUDE),
    Reason.PAGE_LIMIT: (Way.LIMIT,),
    Reason.DEPTH_LIMIT: (Way.LIMIT,),
    Reason.TIME_LIMIT: (Way.RESUME, Way.LIMIT),
    Reason.INTERRUPTED: (Way.RESUME,),
    Reason.DISK_UTILIZATION: (Way.RESUME,),
    Reason.SPOOL_LIMIT: (Way.RESUME,),
    Reason.DUPLICATE: (),
    Reason.NOFOLLOW: (Way.WIDEN, Way.CONTACT),
    Reason.ROBOTS_TXT: (Way.CONTACT, Way.OVERRIDE, Way.BY_HAND),
    Reason.ROBOTS_UNREACHABLE: (Way.WAIT, Way.CONTACT, Way.OVERRIDE, Way.BY_HAND),
    Reason.RATE_LIMITED: (Way.WAIT, *_ASK),
    Reason.CRAWL_DELAY_BUDGET: (Way.LIMIT, *_ASK),
    Reason.VISIT_TIME: (Way.WAIT, Way.CONTACT),
    Reason.REQUISITE_LIMIT: (Way.LIMIT,),
    Reason.SIZE_LIMIT: (Way.LIMIT,),
    Reason.PRIVATE_ADDRESS: (Way.OWN_ADDRESS, Way.CHECK_URL),
    Reason.BAD_PORT: (Way.OWN_ADDRESS, Way.CHECK_URL),
    Reason.UNSUPPORTED_SCHEME: (Way.CHECK_URL,),
    Reason.CREDENTIALS_IN_URL: (Way.CHECK_URL,),
    Reason.TOO_MANY_REDIRECTS: (Way.CHECK_URL, Way.TELL_SITE),
    Reason.TRAP: (Way.WIDEN,),
    Reason.HIDDEN: (),
    Reason.OVERRIDE: (Way.OWN_VIEW, Way.OPEN),
    Reason.NOARCHIVE: (Way.OWN_VIEW, Way.CONTACT),
    Reason.NOINDEX: (Way.OWN_VIEW, Way.SETTING),
    Reason.TDM_RESERVED: (Way.CONTACT, Way.SETTING),
    Reason.CREDENTIALED: (Way.OWN_VIEW,),
    Reason.UNAVAILABLE_FOR_LEGAL_REASONS: (Way.CONTACT,),
    Reason.CONSENT_BLOCKED: _ASK,
    Reason.FAILED: (Way.RETRY,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a way's words and command are filled with. `page`: the document that a requisite belongs to.

    `where`: options that name the collection, with a leading space. `overrides`: whether the configuration allows them.
    """

    url: str
    host: str
    reason: Reason | None = None
    kind: Kind = Kind.DOCUMENT
    page: str | None = None
    where: str = ""
    seconds: float = 0.0
    overrides: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class WayOn:
    """One way: its name, a sentence, and the command to type where there is one."""

    way: str
    text: str
    command: str | None = None

    def to_json(self) -> dict[str, str | None]:
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.text} {self.command}" if self.command else self.text


def ways_on(ways: Sequence[Way], about: About) -> tuple[WayOn, ...]:
    """The ways that are open in this case, in the given order."""
    lift = _lift(about)
    found = []
    for way in ways:
        if way is Way.OVERRIDE and lift is None:
            continue
        text = TEXTS[way].replace("{host}", about.host or "the host")
        found.append(WayOn(way=way.value, text=text, command=_command(way, about, lift)))
    return tuple(found)


def wait_hours(not_before: datetime | None, now: datetime) -> float:
    """Seconds of a `--wait` that covers `not_before`: whole hours."""
    needed = (not_before - now).total_seconds() / 3600 if not_before is not None else 0.0
    return 3600.0 * min(max(math.ceil(needed), SHORTEST_WAIT), LONGEST_WAIT)


def _lift(about: About) -> Lift | None:
    """An override of a requisite needs the page that it belongs to."""
    if not about.overrides or about.reason is None or (about.kind is Kind.REQUISITE and about.page is None):
        return None
    return LIFTS.get((about.reason, about.kind))


def _command(way: Way, about: About, lift: Lift | None) -> str | None:
    url = shlex.quote(about.url)
    if way is Way.WAIT:
        hours = round((about.seconds or SHORTEST_WAIT * 3600.0) / 3600)
        return f"archiver save {url} --wait {hours}h{about.where}"
    if way is Way.OVERRIDE and lift is not None:
        page = shlex.quote(about.page) if lift is Lift.REQUISITES and about.page else url
        return f"archiver save {page} --override {lift.value} --because WHY --by NAME{about.where}"
    if way is Way.OPEN:
        page = shlex.quote(about.page) if about.kind is Kind.REQUISITE and about.page else url
        return f"archiver open {page} --because WHY{about.where}"
    return None
