"""What a page has stored about consent, read before and after: the only proof that a refusal arrived.

Every library keeps its own form: words, JSON, base64, lists of pairs, the strings of the transparency framework. What
cannot be read is `opaque`: that it changed is known, what it says is not. Pure.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import unquote

LONGEST = 20_000
_DEPTH = 6


class Says(StrEnum):
    """What a stored value, or all of a change, says."""

    REJECTED = "rejected"
    ACCEPTED = "accepted"
    MIXED = "mixed"
    OPAQUE = "opaque"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Stored entries (`cookie:name`, `local:key`, `session:key`, `api:tcf` ... , with the origin before it)."""

    entries: Mapping[str, str] = field(default_factory=dict)

    def changed(self, after: State) -> dict[str, str]:
        """Entries that came or changed."""
        return {key: value for key, value in after.entries.items() if self.entries.get(key) != value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What changed and what it says. `plain`: in words of its own, not by a flag that could mean anything."""

    says: Says
    keys: tuple[str, ...] = ()
    readings: Mapping[str, str] = field(default_factory=dict)
    plain: bool = False

    @property
    def is_given(self) -> bool:
        """Whether it reads as consent: then nothing else about this page may be claimed."""
        return self.says is Says.ACCEPTED


NOTHING = Proof(says=Says.NOTHING)

_ABOUT_CONSENT = re.compile(
    r"cookie|consent|gdpr|ccpa|privacy|rgpd|dsgvo|\bcmp|cmp\b|tcf|\btc_?string|gpp|usp|optanon|onetrust|didomi|"
    r"usercentrics|\buc_|"
    r"axeptio|klaro|orejime|tarteaucitron|truste|cmapi|notice|opt-?(in|out)|cc_|_cc\b|\bcc\b|borlabs|cmplz|iubenda|"
    r"_iub|"
    r"euconsent|termly|osano|cky|complianz|datenschutz|tracking|choice|bench_choice|permission|rcc\b|preferences|"
    r"optin|"
    r"optout|banner|agree|accept|reject|allow|deny|eupub|addtl|fc(c)?dcl|sp_|_sp_|consentuuid|cmpl|civic",
    re.IGNORECASE,
)
_TRACKERS = re.compile(
    r"^(_ga|_gid|_gat|_gcl|_fb|_hj|_pk_|_clck|_clsk|__utm|_uet|amp_|ajs_|mp_|optimizely|phpsessid|jsessionid|csrf|"
    r"xsrf|"
    r"__cf|cf_|__cfduid|session|sid$|_session|awsalb|incap_|visid|ak_|bm_|datadome|_abck|intercom|_dd_s)",
    re.IGNORECASE,
)
_LISTS = re.compile(r"categor|accepted|allowed|prefer|purposes|services", re.IGNORECASE)
_REFUSED = frozenset(
    [
        "rejected",
        "reject",
        "rejectall",
        "reject_all",
        "refused",
        "refuse",
        "denied",
        "deny",
        "denyall",
        "deny_all",
        "declined",
        "decline",
        "declineall",
        "disallow",
        "disallowed",
        "disagree",
        "disagreed",
        "opt-out",
        "optout",
        "opted-out",
        "opted_out",
        "opt_out",
        "revoked",
        "revoke",
        "necessary",
        "essential",
        "essentials",
        "required",
        "minimal",
        "only_necessary",
        "necessary_only",
        "onlynecessary",
        "essential_only",
        "withdrawn",
        "blocked",
        "necessary-only",
        "essential-only",
        "only-necessary",
        "disabled",
        "nein",
        "non",
        "nie",
        "refusé",
        "abgelehnt",
        "rechazado",
    ]
)
_GIVEN = frozenset(
    [
        "accepted",
        "accept",
        "acceptall",
        "accept_all",
        "allow",
        "allowed",
        "allowall",
        "allow_all",
        "granted",
        "grant",
        "agree",
        "agreed",
        "optin",
        "opt-in",
        "opted-in",
        "opted_in",
        "opt_in",
        "consented",
        "all",
        "approved",
        "enabled",
        "accept-all",
        "allow-all",
        "acceptedall",
        "dismiss",
        "dismissed",
    ]
)
_OFF = frozenset({"false", "0", "no", "n", "off", "f", ""})
_ON = frozenset({"true", "1", "yes", "y", "on", "t"})
_SEEN = re.compile(
    r"seen|shown|show|closed|close|display|hide|hidden|interact|answered|set$|saved|initial|complete|response|"
    r"decided|"
    r"visited|opened|stored|exist|done|action|made|asked|count|interest|legint|ready|loaded|bot|applies|required|version",
    re.IGNORECASE,
)
_META = re.compile(
    r"^\$\$|version|^v$|^ver$|date|time|stamp|expir|^id$|uuid|guid|^lang|language|locale|revision|policy|level|"
    r"region|"
    r"country|url|host|domain|hash|method|created|updated|until|duration|browser|platform|userid|user_id|user$|"
    r"controller|processor|^iso|landing|statement|gpc|^ts$|timezone|browserGpc",
    re.IGNORECASE,
)
_NEEDED = re.compile(
    r"necessary|notwendig|essen[zt]i|required|strict|mandatory|technical|technisch|^c0001|^c0$|security|"
    r"nécessaire|necesari|cmplz_functional|^needed|^basic|^default$|core",
    re.IGNORECASE,
)
_TRACKING = re.compile(
    r"analy|statist|market|\bads?\b|^ad_|advert|target|social|personali|performance|profil|track|google|facebook|"
    r"meta_?pixel|"
    r"youtube|matomo|hotjar|pixel|embed|third|mysvc|c000[2-9]|measure|ad_storage|vimeo|twitter|linkedin|tiktok",
    re.IGNORECASE,
)


def proof_of(before: State, after: State, *, noise: frozenset[str] = frozenset(), sure: bool = True) -> Proof:
    """What the difference says. `noise`: entries that change by themselves. `sure` False: the refusal was put together
    from switches, so that a category left on counts even where its name tells nothing."""
    changed = {key: value for key, value in before.changed(after).items() if key not in noise}
    readings: dict[str, Says] = {}
    plain = False
    flags: set[str] = set()
    for key, value in changed.items():
        name = key.rpartition(":")[2]
        if _TRACKERS.search(name):
            continue
        says, in_words = read(name, value, sure=sure)
        if says is Says.NOTHING or (says is Says.OPAQUE and not _ABOUT_CONSENT.search(name)):
            continue
        readings[key] = says
        plain = plain or (in_words and says is Says.ACCEPTED)
        if says is Says.ACCEPTED and not in_words and not _TRACKING.search(name):
            flags.add(key)
    if sure and Says.REJECTED in readings.values():
        readings |= dict.fromkeys(flags, Says.OPAQUE)  # `asked=1` beside `choice=essential`
    return Proof(
        says=_together(set(readings.values())),
        keys=tuple(readings),
        readings={key: says.value for key, says in readings.items()},
        plain=plain,
    )


def _together(found: set[Says]) -> Says:
    if Says.MIXED in found or {Says.REJECTED, Says.ACCEPTED} <= found:
        return Says.MIXED
    for says in (Says.ACCEPTED, Says.REJECTED, Says.OPAQUE):
        if says in found:
            return says
    return Says.NOTHING


# --- one value --------------------------------------------------------------------------------------------------------


def read(name: str, value: str, *, sure: bool = True) -> tuple[Says, bool]:
    """What a stored value says, and whether it says so in words (True) or by flags alone."""
    text = unquote(unquote(value[:LONGEST])).strip().strip('"')
    if name in {"tcf", "usp"}:
        return _of_api(name, text), True
    purposes = tc_purposes(text)
    if purposes is not None:
        return (Says.ACCEPTED if purposes else Says.REJECTED), True
    word = text.lower()
    if word in _REFUSED:
        return Says.REJECTED, True
    if word in _GIVEN:
        return (Says.ACCEPTED, True) if word not in {"dismiss", "dismissed"} or _ABOUT_CONSENT.search(name) else _NO
    if word in _OFF or word in _ON:
        return _of_flag(name, word)
    leaves = list(_leaves(_decoded(text)))
    return _of_leaves(name, leaves, sure=sure)


_NO = (Says.NOTHING, False)


def _of_flag(name: str, word: str) -> tuple[Says, bool]:
    about = bool(_ABOUT_CONSENT.search(name) or _TRACKING.search(name))
    if not about or _NEEDED.search(name):
        return _NO
    if not word:  # a list of what was agreed to, empty
        return (Says.REJECTED if _LISTS.search(name) else Says.OPAQUE), False
    if _SEEN.search(name):
        return Says.OPAQUE, False
    return (Says.REJECTED if word in _OFF else Says.ACCEPTED), False


def _of_api(name: str, text: str) -> Says:
    """`tcf`: `eventStatus|purposes consented to`; `usp`: four characters, the third is the opt-out of sale."""
    if name == "usp":
        return {"Y": Says.REJECTED, "N": Says.OPAQUE}.get(text[2:3].upper(), Says.NOTHING)
    status, _, purposes = text.partition("|")
    if status not in {"useractioncomplete", "tcloaded"}:
        return Says.NOTHING
    return Says.ACCEPTED if purposes.strip() else Says.REJECTED


def _of_leaves(name: str, leaves: list[tuple[str, str]], *, sure: bool) -> tuple[Says, bool]:
    on, off, words = [], 0, set()
    for path, raw in leaves:
        word = raw.lower().strip()
        last = path.rpartition(".")[2]
        if word in _REFUSED and not _NEEDED.search(word):
            words.add(Says.REJECTED)
        elif word in _GIVEN and not _NEEDED.search(path) and word not in {"all", "dismiss", "enabled"}:
            words.add(Says.ACCEPTED)
            on.append(path)
        elif _NEEDED.search(path) or _META.search(last):
            continue
        elif word in _OFF:
            off += 1
        elif word in _ON and not _SEEN.search(last):
            on.append(path)
    if words == {Says.REJECTED}:
        off += 1
    return _weigh(name, on, off, words, sure=sure, read=bool(leaves))


def _weigh(name: str, on: list[str], off: int, words: set[Says], *, sure: bool, read: bool) -> tuple[Says, bool]:
    about = bool(_ABOUT_CONSENT.search(name))
    if not about and not words:
        return _NO
    if on and off:
        tracking = [path for path in on if _TRACKING.search(path)]
        return (Says.MIXED if tracking or not sure else Says.REJECTED), Says.ACCEPTED in words
    if on:
        return Says.ACCEPTED, Says.ACCEPTED in words
    if off:
        return Says.REJECTED, Says.REJECTED in words
    return Says.OPAQUE, False


# --- forms ------------------------------------------------------------------------------------------------------------

_PAIR = re.compile(r"""["']?([\w$.@/ -]{1,80}?)["']?\s*[:=]\s*(?:["']([^"']*)["']|([^"',;&|!{}\[\]]*))""")


def _decoded(text: str) -> Any:
    """JSON, JSON in base64, pairs in whatever brackets; the text itself when it is none of them."""
    for form in (text, _unpacked(text)):
        if form and form[0] in "{[":
            try:
                return json.loads(form)
            except ValueError:
                continue
    pairs = [(name.strip(), quoted or bare.strip()) for name, quoted, bare in _PAIR.findall(text)]
    if pairs:
        return _grouped(text, pairs)
    return text


def _grouped(text: str, pairs: list[tuple[str, str]]) -> dict[str, str]:
    """`groups=C0001:1,C0002:0` holds pairs of its own: the flat search would see the first of them as its value."""
    found = dict(pairs)
    for part in re.split(r"[&;]", text):
        name, _, inner = part.partition("=")
        if ":" in inner and name:
            found.pop(name.strip(), None)
            for one in inner.split(","):
                key, _, value = one.partition(":")
                found[key.strip()] = value.strip()
    return found


def _unpacked(text: str) -> str:
    if len(text) < 8 or not re.fullmatch(r"[A-Za-z0-9+/_=-]+", text):
        return ""
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/") + "===").decode("utf-8")
    except (binascii.Error, ValueError):
        return ""


def _leaves(value: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """(path, scalar). A list names what is on, or, under `disabled`, what is off; an empty list says none."""
    if depth > _DEPTH:
        return
    if isinstance(value, dict):
        named = next((str(value[key]) for key in ("name", "service", "category", "key", "id") if key in value), "")
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{named}.{key}" if named else f"{path}.{key}", depth + 1)
    elif isinstance(value, list):
        yield from _listed(value, path, depth)
    elif value is not None and path:
        text = str(value)
        inner = json.loads(text) if text[:1] in "{[" and _is_json(text) else None
        if inner is not None:
            yield from _leaves(inner, path, depth + 1)
        else:
            yield path, text


def _listed(value: list[Any], path: str, depth: int) -> Iterator[tuple[str, str]]:
    if any(isinstance(one, dict | list) for one in value):
        for one in value:
            yield from _leaves(one, path, depth + 1)
        return
    off = re.search(r"disabled|denied|rejected|refused|declined|optout", path, re.IGNORECASE) is not None
    names = [str(one) for one in value if str(one).strip()]
    optional = [name for name in names if not _NEEDED.search(name)]
    for name in optional:
        yield f"{path}.{name}", "false" if off else "true"
    if not off and not optional and (names or re.search(r"categor|consent|accepted|allowed|prefer|^$", path, re.I)):
        yield f"{path}.others", "false"


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def tc_purposes(text: str) -> int | None:
    """How many purposes a transparency string (version 2) consents to; None when it is none.

    IAB TCF v2, "TC String Format": core segment, 24 bits of purpose consents from bit 152 on.
    """
    core = text.partition(".")[0]
    if not re.fullmatch(r"C[A-Za-z0-9_-]{30,}", core):
        return None
    try:
        raw = base64.urlsafe_b64decode(core + "=" * (-len(core) % 4))
    except (binascii.Error, ValueError):
        return None
    bits = int.from_bytes(raw[:22], "big")
    return bin(bits & 0xFFFFFF).count("1")
