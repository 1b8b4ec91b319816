"""All signals of one response, in one call. Cheap when there are none, or the same as on the page before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from archiver.policy.fields import Header
from archiver.policy.preferences import Usage, combine, read_content_signals, read_content_usage
from archiver.policy.robots import RobotsFile
from archiver.policy.signals import links as link_signals
from archiver.policy.signals import tdmrep
from archiver.policy.signals.carriers import TDM, Carriers, collect, links_of, names_of
from archiver.policy.signals.directives import Directives
from archiver.policy.signals.memo import remembered
from archiver.policy.signals.values import LABELS, NO_LABEL, NO_LABELS, NO_SIGNALS, Evidence, Label, PageSignals

REMEMBERED = 512
Licenses = tuple[tuple[str, ...], tuple[str, ...]]
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
    carriers = collect(
        headers=headers,
        meta=meta,
        links=links,
        agents=agents if type(agents) is tuple else tuple(agents),
        url=url,
        robots=robots,
        tdm_file=tdm_file,
        strict=strict,
    )
    if carriers is None:
        return NO_SIGNALS
    return _kept(carriers) if carriers.may_be_remembered else read(carriers)


def read(carriers: Carriers) -> PageSignals:
    """What these carriers say; nothing of it is remembered but what single lines mean."""
    reader = _Reader(carriers)
    reader.directives()
    reader.content_usage()
    reader.robots()
    tdm = reader.tdm()
    rsl, other = reader.licenses()
    flags = reader.flags()
    reader.refusals()
    return PageSignals(
        rules=frozenset(reader.sum.rules),
        params=reader.sum.params,
        unknown=tuple(reader.sum.unknown),
        expires=reader.sum.expires,
        tdm_reservation=tdm.reservation,
        tdm_policy=tdm.policy,
        licenses=rsl,
        license_links=other,
        usage=reader.labels(),
        flags=flags,
        signals=tuple(reader.evidence),
    )


_kept = lru_cache(maxsize=REMEMBERED)(read)


@remembered
def _of_header(line: str, ours: frozenset[str]) -> tuple[Directives, dict[str, Any]]:
    one = Directives()
    one.read_header(line, ours)
    return one, one.as_dict()


@remembered
def _of_meta(content: str) -> tuple[Directives, dict[str, Any]]:
    one = Directives()
    one.read_meta(content)
    return one, one.as_dict()


@remembered
def _of_robots_tag(line: str, ours: frozenset[str]) -> dict[str, Any]:
    one = Directives()
    one.read_robots_tag(line, ours)
    return one.as_dict()


@remembered
def _line_licenses(line: str, base: str) -> Licenses:
    return link_signals.licenses([line], (), base)


@remembered
def _link_licenses(href: str, link: tuple[str, str, str], base: str) -> Licenses:
    return link_signals.licenses((), [link], base)


_content_usage = remembered(read_content_usage)


def _as_json(licenses: Licenses) -> dict[str, list[str]]:
    rsl, other = licenses
    return {"rsl": list(rsl), "other": list(other)}


class _Reader:
    """Collects evidence and labels while the carriers are read one after the other."""

    def __init__(self, carriers: Carriers) -> None:
        self._c = carriers
        self._fields: dict[str, list[str]] = {}
        for name, value in carriers.fields:
            self._fields.setdefault(name, []).append(value)
        self.sum = Directives()
        self.evidence: list[Evidence] = []
        self._said: dict[str, list[tuple[Usage, str]]] = {}

    def _lines(self, name: str) -> Sequence[str]:
        return self._fields.get(name, ())

    def _label(self, name: str, value: Usage, source: str) -> None:
        if value is not Usage.UNKNOWN:
            self._said.setdefault(name, []).append((value, source))

    def directives(self) -> None:
        ours = names_of(self._c.agents)
        for line in self._lines("x-robots-tag"):
            self._add("x-robots-tag", "header", line, *_of_header(line, ours))
        for name, content in self._c.metas:
            if name not in TDM:
                self._add(f"meta {name}", "meta", content, *_of_meta(content))
        for line in self._lines("robots-tag"):  # recorded, not binding
            self.evidence.append(Evidence("robots-tag", "header", line, _of_robots_tag(line, ours)))

    def _add(self, kind: str, carrier: str, raw: str, one: Directives, parsed: dict[str, Any]) -> None:
        self.sum.merge(one)
        self.evidence.append(Evidence(kind, carrier, raw, parsed))
        for rule in ("noai", "noml"):
            if rule in one.rules:
                self._label("ai-train", Usage.DISALLOW, f"{kind} {rule}")

    def content_usage(self) -> None:
        lines = self._lines("content-usage")
        if lines:
            field = ", ".join(lines)
            stated = _content_usage(field)
            self._usage("header content-usage", stated or {})
            self.evidence.append(Evidence("content-usage", "header", field, stated))

    def _usage(self, source: str, stated: Mapping[str, Usage]) -> None:
        self._label("ai-train", stated.get("train-ai", Usage.UNKNOWN), source)
        self._label("search", stated.get("search", Usage.UNKNOWN), source)

    def robots(self) -> None:
        said = self._c.robots
        if said is None:
            return
        if said.usage_lines:
            stated = None if said.usage is None else dict(said.usage)
            self._usage("robots.txt content-usage", stated or {})
            self.evidence.append(Evidence("content-usage", "robots.txt", "\n".join(said.usage_lines), stated))
        if said.signal_lines:
            signal = read_content_signals(said.signal_lines)
            for name, value in signal.labels.items():
                if value is not None:
                    self._label(name, Usage.ALLOW if value else Usage.DISALLOW, "robots.txt content-signal")
            parsed = signal.labels | {"extra": dict(signal.extra)}
            self.evidence.append(Evidence("content-signal", "robots.txt", "\n".join(said.signal_lines), parsed))
        for raw in (*said.licenses, *said.invalid_licenses):
            self.evidence.append(Evidence("license", "robots.txt", raw, raw if raw in said.licenses else None))

    def tdm(self) -> tdmrep.Tdm:
        file, metas = self._c.tdm_file, self._c.metas
        header = [self._lines(name) for name in TDM]
        meta = [[content for name, content in metas if name == wanted] for wanted in TDM]
        if file is tdmrep.UNSET and not any(header) and not any(meta):
            return file
        carriers = [("tdmrep.json", file)]
        for carrier, values in (("header", header), ("meta", meta)):
            if any(values):
                carriers.append((carrier, tdmrep.read_values(*values)))
                self._tdm_evidence(carrier, values)
        if file is not tdmrep.UNSET:
            parsed = {"tdm-reservation": file.reservation, "tdm-policy": file.policy, "error": file.error}
            self.evidence.append(Evidence("tdmrep", "tdmrep.json", "", parsed))
        found = tdmrep.resolve((one for _, one in carriers), strict=self._c.strict)
        for carrier, one in carriers:
            if one.reservation is not None and one.reservation == found.reservation:
                self._label("tdm", Usage.DISALLOW if one.reservation else Usage.ALLOW, f"{carrier} tdm-reservation")
        return found

    def _tdm_evidence(self, carrier: str, values: Sequence[Sequence[str]]) -> None:
        for name, some in zip(TDM, values, strict=True):
            for raw in some:
                parsed = tdmrep.read_reservation(raw) if name == "tdm-reservation" else raw.strip()
                self.evidence.append(Evidence(name, carrier, raw, parsed))

    def licenses(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        lines = [line for line in self._lines("link") if any("license" in link.rel for link in links_of(line))]
        named, base = self._c.links, self._c.base
        found = []
        for line in lines:
            found.append(_line_licenses(line, base))
            self.evidence.append(Evidence("license", "header", line, _as_json(found[-1])))
        for link in named:
            found.append(_link_licenses(link[1], link, base))
            self.evidence.append(Evidence("license", "link", " ".join(link).rstrip(), _as_json(found[-1])))
        said = self._c.robots
        rsl = dict.fromkeys(said.licenses if said is not None else ())
        rsl.update(dict.fromkeys(url for urls, _ in found for url in urls))
        return tuple(rsl), tuple(dict.fromkeys(url for _, urls in found for url in urls))

    def flags(self) -> frozenset[str]:
        found = set()
        for line in self._lines("cache-control"):
            flags = [flag for part in line.lower().split(",") if (flag := _FLAGS.get(part.partition("=")[0].strip()))]
            if flags:
                found.update(flags)
                self.evidence.append(Evidence("cache-control", "header", line, flags))
        for line in self._lines("memento-datetime"):
            found.add("memento")
            self.evidence.append(Evidence("memento-datetime", "header", line, "memento"))
        for line in self._lines("link"):
            # RFC 7089, 2.2.1: `original` stands on an archive's copy; a live page may name its time map.
            for link in links_of(line):
                for rel in ("original", "timemap"):
                    if rel in link.rel:
                        self.evidence.append(Evidence(f"link {rel}", "header", line, link.target))
                        found.update(("memento",) if rel == "original" else ())
        return frozenset(found)

    def refusals(self) -> None:
        """Who had it blocked (RFC 7725, 4), what it would cost (Cloudflare's field)."""
        for line in self._lines("link"):
            for link in links_of(line):
                if "blocked-by" in link.rel:
                    self.evidence.append(Evidence("link blocked-by", "header", line, link.target))
        for line in self._lines("crawler-price"):
            self.evidence.append(Evidence("crawler-price", "header", line, line.strip()))

    def labels(self) -> Mapping[str, Label]:
        if "noimageai" in self.sum.rules and self._c.image:
            self._label("ai-train", Usage.DISALLOW, "noimageai")
        if not self._said:
            return NO_LABELS
        labels = dict.fromkeys(LABELS, NO_LABEL)
        for name, said in self._said.items():
            value = combine(one for one, _ in said)
            labels[name] = Label(value, tuple(source for one, source in said if one is value))
        return labels
