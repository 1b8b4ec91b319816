"""All signals of one response, in one call. Cheap when there are none, which is the rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from archiver.policy.fields import Header, as_text
from archiver.policy.preferences import Usage, combine, read_content_usage
from archiver.policy.robots import RobotsFile
from archiver.policy.signals import links as link_signals
from archiver.policy.signals import tdmrep
from archiver.policy.signals.directives import Directives
from archiver.policy.signals.values import LABELS, NO_LABEL, NO_LABELS, NO_SIGNALS, Evidence, Label, PageSignals

_FIELDS = (
    "x-robots-tag", "content-usage", "tdm-reservation", "tdm-policy", "link", "cache-control", "memento-datetime",
    "robots-tag",
)  # fmt: skip
_WANTED: Mapping[bytes | str, str] = {name.encode(): name for name in _FIELDS} | {name: name for name in _FIELDS}
# Fields that most responses have for other reasons: looked into only when they hold such a word.
_ONLY_WITH = {"link": ("license",), "cache-control": ("no-store", "private")}
_TDM = ("tdm-reservation", "tdm-policy")
_SPACE = " \t\r\n\f"
_FLAGS = {"no-store": "cache-no-store", "private": "cache-private"}


def page_signals(  # noqa: PLR0913 - one question, all of it named
    *,
    headers: Sequence[Header],
    meta: Iterable[Sequence[str]] = (),
    links: Iterable[Sequence[str]] = (),
    agents: Sequence[str],
    url: str,
    robots: RobotsFile | None = None,
    tdm_file: tdmrep.Tdm = tdmrep.UNSET,
    strict: bool = True,
) -> PageSignals:
    """What headers, meta and link elements, robots.txt and a tdmrep.json already at hand say about `url`.

    `meta` holds (name, content) pairs, `links` (rel, href, type); `robots` an rfc9309-mode file; `tdm_file` from
    `tdmrep.read_json`. `strict` keeps the stricter of contradicting TDM carriers. Never raises on what a site sends.
    """
    fields = _fields_of(headers)
    metas = _metas_of(meta, agents)
    named = [link for link in links if "license" in link[0].lower()]
    asked = robots if robots is not None and robots.has_preferences else None
    if not (fields or metas or named or asked or tdm_file is not tdmrep.UNSET):
        return NO_SIGNALS
    reader = _Reader(agents, url)
    reader.directives_of(fields, metas)
    reader.content_usage_of(fields)
    if asked is not None:
        reader.robots_of(asked)
    tdm = reader.tdm_of(fields, metas, tdm_file, strict)
    rsl, other = reader.licenses_of(fields, named, asked)
    return PageSignals(
        rules=frozenset(reader.sum.rules),
        params=reader.sum.params,
        unknown=tuple(reader.sum.unknown),
        expires=reader.sum.expires,
        tdm_reservation=tdm.reservation,
        tdm_policy=tdm.policy,
        licenses=rsl,
        license_links=other,
        usage=reader.labels(headers),
        flags=reader.flags_of(fields),
        signals=tuple(reader.evidence),
    )


def _fields_of(headers: Iterable[Header]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in headers:
        wanted = _WANTED.get(name) or _WANTED.get(name.lower())
        if wanted is None:
            continue
        text = as_text(value)
        words = _ONLY_WITH.get(wanted)
        if words is None or any(word in text.lower() for word in words):
            found.setdefault(wanted, []).append(text)
    return found


@lru_cache(maxsize=64)
def _names(agents: tuple[str, ...]) -> frozenset[str]:
    return frozenset(agent.lower() for agent in agents)


def _metas_of(meta: Iterable[Sequence[str]], agents: Sequence[str]) -> list[tuple[str, str]]:
    ours = _names(tuple(agents))
    found = []
    for name, content in meta:
        key = name.strip(_SPACE).lower()
        if key == "robots" or key in _TDM or key in ours:
            found.append((key, content))
    return found


class _Reader:
    """Collects evidence and labels while the carriers are read one after the other."""

    def __init__(self, agents: Sequence[str], url: str) -> None:
        self.agents = agents
        self.url = url
        self.sum = Directives()
        self.evidence: list[Evidence] = []
        self._said: dict[str, list[tuple[Usage, str]]] = {}

    def _label(self, name: str, value: Usage, source: str) -> None:
        if value is not Usage.UNKNOWN:
            self._said.setdefault(name, []).append((value, source))

    def directives_of(self, fields: Mapping[str, list[str]], metas: Iterable[tuple[str, str]]) -> None:
        ours = _names(tuple(self.agents))
        for line in fields.get("x-robots-tag", ()):
            one = Directives()
            one.read_header(line, ours)
            self._add("x-robots-tag", "header", line, one)
        for name, content in metas:
            if name not in _TDM:
                one = Directives()
                one.read_meta(content)
                self._add(f"meta {name}", "meta", content, one)
        for line in fields.get("robots-tag", ()):  # draft-illyes-repext-00: recorded, not binding
            self.evidence.append(Evidence("robots-tag", "header", line, None))

    def _add(self, kind: str, carrier: str, raw: str, one: Directives) -> None:
        self.sum.merge(one)
        self.evidence.append(Evidence(kind, carrier, raw, one.as_dict()))
        for rule in ("noai", "noml"):
            if rule in one.rules:
                self._label("ai-train", Usage.DISALLOW, f"{kind} {rule}")

    def content_usage_of(self, fields: Mapping[str, list[str]]) -> None:
        lines = fields.get("content-usage")
        if lines:
            field = ", ".join(lines)
            self._usage("header content-usage", read_content_usage(field) or {})
            self.evidence.append(Evidence("content-usage", "header", field, read_content_usage(field)))

    def _usage(self, source: str, stated: Mapping[str, Usage]) -> None:
        self._label("ai-train", stated.get("train-ai", Usage.UNKNOWN), source)
        self._label("search", stated.get("search", Usage.UNKNOWN), source)

    def robots_of(self, robots: RobotsFile) -> None:
        preferences = robots.preferences(self.agents)
        if preferences.usage_lines:
            stated = robots.content_usage(self.agents, self.url)
            self._usage("robots.txt content-usage", stated or {})
            self.evidence.append(Evidence("content-usage", "robots.txt", "\n".join(preferences.usage_lines), stated))
        if preferences.signal_lines:
            signal = preferences.signal
            for name, value in signal.labels.items():
                if value is not None:
                    self._label(name, Usage.ALLOW if value else Usage.DISALLOW, "robots.txt content-signal")
            parsed = signal.labels | {"extra": dict(signal.extra)}
            self.evidence.append(Evidence("content-signal", "robots.txt", "\n".join(preferences.signal_lines), parsed))
        for raw in (*robots.licenses, *robots.invalid_licenses):
            self.evidence.append(Evidence("license", "robots.txt", raw, raw if raw in robots.licenses else None))

    def tdm_of(
        self, fields: Mapping[str, list[str]], metas: list[tuple[str, str]], file: tdmrep.Tdm, strict: bool
    ) -> tdmrep.Tdm:
        if file is tdmrep.UNSET and not any(name in fields for name in _TDM) and not any(m[0] in _TDM for m in metas):
            return file
        header = [fields.get(name, []) for name in _TDM]
        meta = [[content for name, content in metas if name == wanted] for wanted in _TDM]
        carriers = [("tdmrep.json", file)]
        for carrier, values in (("header", header), ("meta", meta)):
            if any(values):
                carriers.append((carrier, tdmrep.read_values(*values)))
                self._tdm_evidence(carrier, values)
        if file is not tdmrep.UNSET:
            parsed = {"tdm-reservation": file.reservation, "tdm-policy": file.policy, "error": file.error}
            self.evidence.append(Evidence("tdmrep", "tdmrep.json", "", parsed))
        found = tdmrep.resolve((one for _, one in carriers), strict=strict)
        for carrier, one in carriers:
            if one.reservation is not None and one.reservation == found.reservation:
                self._label("tdm", Usage.DISALLOW if one.reservation else Usage.ALLOW, f"{carrier} tdm-reservation")
        return found

    def _tdm_evidence(self, carrier: str, values: list[list[str]]) -> None:
        for name, some in zip(_TDM, values, strict=True):
            for raw in some:
                parsed = tdmrep.read_reservation(raw) if name == "tdm-reservation" else raw.strip()
                self.evidence.append(Evidence(name, carrier, raw, parsed))

    def licenses_of(
        self, fields: Mapping[str, list[str]], named: list[Sequence[str]], robots: RobotsFile | None
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        lines = fields.get("link", ())
        if not (lines or named or robots):
            return (), ()
        for line in lines:
            rsl, other = link_signals.licenses([line], (), self.url)
            self.evidence.append(Evidence("license", "header", line, {"rsl": list(rsl), "other": list(other)}))
        for link in named:
            self.evidence.append(Evidence("license", "link", " ".join(link), link[1]))
        return link_signals.licenses(lines, named, self.url, robots.licenses if robots is not None else ())

    def flags_of(self, fields: Mapping[str, list[str]]) -> frozenset[str]:
        found = set()
        for line in fields.get("cache-control", ()):
            for part in line.lower().split(","):
                flag = _FLAGS.get(part.partition("=")[0].strip())
                if flag:
                    found.add(flag)
                    self.evidence.append(Evidence("cache-control", "header", line, flag))
        for line in fields.get("memento-datetime", ()):
            found.add("memento")
            self.evidence.append(Evidence("memento-datetime", "header", line, "memento"))
        return frozenset(found)

    def labels(self, headers: Sequence[Header]) -> Mapping[str, Label]:
        if "noimageai" in self.sum.rules and _is_image(headers):
            self._label("ai-train", Usage.DISALLOW, "noimageai")
        if not self._said:
            return NO_LABELS
        labels = dict.fromkeys(LABELS, NO_LABEL)
        for name, said in self._said.items():
            value = combine(one for one, _ in said)
            labels[name] = Label(value, tuple(source for one, source in said if one is value))
        return labels


def _is_image(headers: Iterable[Header]) -> bool:
    return any(
        as_text(name).lower() == "content-type" and as_text(value).strip().lower().startswith("image/")
        for name, value in headers
    )
