"""Who we say we are: the same on every request of every lane (RFC 9309, 2.2.1; RFC 9110, 10.1.2 and 10.1.5)."""

from __future__ import annotations

import re
from dataclasses import dataclass

import can_ada

from archiver import __version__
from archiver.config.kinds import TEXT, read_text
from archiver.config.schema import Kind, key

PRODUCT = "PoliteArchiver"
_TOKEN = re.compile(r"[A-Za-z_-]{3,60}")
_MAILBOX = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@([A-Za-z0-9.-]+)")
_DOMAIN = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9-]{1,63}(?<!-))+", re.IGNORECASE)
_SUFFIX = re.compile(r"[A-Za-z0-9 ._/;:+()@-]*")
# Names that sites open doors to; wearing one would be the very disguise the floor forbids.
_OTHERS = frozenset(
    {
        "googlebot", "bingbot", "yandexbot", "duckduckbot", "applebot", "baiduspider", "slurp",
        "facebookexternalhit", "twitterbot", "linkedinbot", "gptbot", "claudebot", "ccbot", "perplexitybot",
        "amazonbot", "bytespider", "ia_archiver", "heritrix", "browsertrix", "petalbot", "googleother",
        "google-extended", "adsbot-google", "mediapartners-google", "semrushbot", "ahrefsbot", "dotbot",
    }
)  # fmt: skip


def read_contact(value: object) -> str:
    """An https URL (serialised) or a mailbox (without `mailto:`). ValueError says what is wrong."""
    text = read_text(value, limit=200)
    if not text.isascii():
        raise ValueError("must be ASCII: write an international host name in its xn-- form")
    if text.lower().startswith("https://"):
        return _read_page(text)
    mailbox = text[7:] if text.lower().startswith("mailto:") else text
    found = _MAILBOX.fullmatch(mailbox)
    if found is None or not _DOMAIN.fullmatch(found[1]) or len(mailbox) > 150:
        raise ValueError("must be an https URL or a mail address where site owners reach you, such as you@example.org")
    return mailbox


def _read_page(text: str) -> str:
    try:
        url = can_ada.parse(text)
    except ValueError:
        raise ValueError("is not a valid URL") from None
    if url.has_credentials():
        raise ValueError("must not hold a user name or password")
    if not _DOMAIN.fullmatch(url.hostname.rstrip(".")) or re.fullmatch(r"[0-9.]+", url.hostname):
        raise ValueError("must name a public host, so that site owners can open the page")
    if re.search(r"[()<>;,\s\\\"]", url.href):
        raise ValueError("must not hold brackets, commas, semicolons or quotes: it stands inside a header's comment")
    return str(url.href)


def read_token(value: object) -> str:
    """A product token of RFC 9309, 2.2.1: letters, `_` and `-`."""
    text = read_text(value)
    if not _TOKEN.fullmatch(text):
        raise ValueError("must be a product token: 3 to 60 of letters, _ and - (RFC 9309, 2.2.1)")
    if text.lower() in _OTHERS:
        raise ValueError("is the name of somebody else's crawler; give your own")
    return text


def read_suffix(value: object) -> str:
    text = read_text(value, limit=200)
    if not _SUFFIX.fullmatch(text):
        raise ValueError("may hold letters, digits, spaces and . _ / ; : + ( ) @ - only")
    return text


def read_user_agent(value: object) -> str:
    text = read_text(value, limit=512)
    if not text or not text.isascii():
        raise ValueError("must be a non-empty line of ASCII")
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Truthful and the same everywhere; `user_agent` and `mailbox` are what goes on the wire."""

    contact: str = key(
        Kind("https URL or mail address", read_contact),
        "Where site owners reach you. Asked for once on a terminal; not needed for loopback",
        default="",
    )
    robots_agent: str = key(
        Kind("product token", read_token),
        f"The name that robots.txt rules address. Your own name is asked first, `{PRODUCT}` always too",
        default=PRODUCT,
        browsertrix="there it is only what robots.txt is matched with; here it stands in the User-Agent too",
    )
    custom_user_agent: str = key(
        Kind("text", read_user_agent),
        f"A User-Agent of your own; it must hold `robotsAgent`, `{PRODUCT}` and the contact",
        default="",
        name="userAgent",
        browsertrix="there any text will do",
    )
    user_agent_suffix: str = key(
        Kind(TEXT.name, read_suffix), "Appended to the User-Agent, such as the name of a project", default=""
    )

    @property
    def mailbox(self) -> str | None:
        """For `From` (RFC 9110, 10.1.2), when the contact is one."""
        return self.contact if self.contact and not self.contact.startswith("https://") else None

    @property
    def contact_uri(self) -> str:
        return f"mailto:{self.contact}" if self.mailbox else self.contact

    @property
    def agents(self) -> tuple[str, ...]:
        """Tokens to match robots groups with, in order: a name of one's own never gets round rules for ours."""
        return (PRODUCT,) if self.robots_agent == PRODUCT else (self.robots_agent, PRODUCT)

    @property
    def user_agent(self) -> str:
        """`Mozilla/5.0 (compatible; PoliteArchiver/0.1.0; +https://example.org/bot)`."""
        parts = ["compatible", *(f"{token}/{__version__}" for token in self.agents)]
        if self.contact:
            parts.append(f"+{self.contact_uri}")
        built = self.custom_user_agent or f"Mozilla/5.0 ({'; '.join(parts)})"
        return f"{built} {self.user_agent_suffix}".rstrip()

    def problem(self) -> str | None:
        """What a `userAgent` of the operator's own leaves out, else None."""
        if self.custom_user_agent:
            wanted = [*self.agents, *([self.contact_uri] if self.contact else [])]
            missing = [part for part in wanted if part not in self.custom_user_agent]
            if missing:
                return f"must hold {' and '.join(missing)}: who crawls is always told"
        return None
