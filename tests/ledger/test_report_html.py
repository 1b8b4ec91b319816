"""The page: readable without a script, without colours and without eyes; and nothing of a site's becomes markup."""

import re
from itertools import pairwise
from typing import Any

import pytest
from lxml import html

from archiver.ledger.report import Host, Report
from archiver.ledger.report_charts import bar_chart, octets, seconds
from archiver.ledger.report_html import page
from archiver.ledger.report_words import answers, reason_rows
from tests.ledger.report_sample import sample

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>\u202e'
PLAIN = {"Answers by media type", "Answers by HTTP status", "Requests by origin"}
"""Tables whose words are all our own, or cut to an origin."""
COUNTS = {"discovered": 3, "fetched": 1, "refused": 2, "failed": 0, "pending": 0}


def hostile() -> Report:
    made = Report(job="0123456789", collection=HOSTILE, generated="2026-11-23T12:00:00.000Z", counts=COUNTS)
    made.reasons = reason_rows({("fetched", "allowed"): 1, ("refused", HOSTILE): 2})
    made.hosts = {f"https://{HOSTILE}": Host(answers=1, smallest_gap=1.0)}
    made.files = {HOSTILE}
    made.ledger, made.faults = [HOSTILE], [HOSTILE]
    labels = {"note": HOSTILE, "case": HOSTILE, "tags": [HOSTILE]}
    document = {"basis": {"operator": HOSTILE, "legal_basis": HOSTILE}}
    gap = {"url": HOSTILE, "type": HOSTILE, "reason": HOSTILE, "rule": HOSTILE}
    rows = (
        {"event": "run", "t": "T", "actor": {"name": HOSTILE, "through": HOSTILE}, "policy": {"name": HOSTILE},
         "config": {"sha256": HOSTILE, "document": document}, **labels},
        {"event": "override", "url": HOSTILE, "what": HOSTILE, "by": HOSTILE, "because": HOSTILE},
        {"event": "decision", "verdict": "allow", "url": HOSTILE, "via": HOSTILE,
         "notes": {"transcluded": {"rule": HOSTILE}}},
        {"event": "visit", "url": HOSTILE, "fetched": 1, "lane": HOSTILE,
         "completeness": {"verdict": HOSTILE}, "matter": [gap]},
        {"event": "consent", "url": HOSTILE, "outcome": HOSTILE},
        {"event": "consent", "url": HOSTILE, "outcome": "accepted", "policy": HOSTILE, "setBy": HOSTILE},
        {"event": "lane", "url": HOSTILE, "lane": HOSTILE, "signs": [{"name": HOSTILE}], "challenge": HOSTILE},
        {"event": "browser", "version": HOSTILE, "consent": {"version": HOSTILE, "released": HOSTILE}},
        {"event": "outcome", "url": HOSTILE, "status": "captured", "access": HOSTILE, "http_status": HOSTILE},
        {"event": "end", "t": HOSTILE, "stopped": HOSTILE},
        {"event": "seed", "url": HOSTILE},
        {"event": "decision", "verdict": "refuse", "url": HOSTILE, "reason": HOSTILE, "rule": HOSTILE,
         "evidence": HOSTILE,
         "notes": {"robots": {"state": HOSTILE}}},
        {"event": "decision", "verdict": "allow", "url": f"https://{HOSTILE}/", "via": HOSTILE,
         "t": "2026-11-23T12:00:00Z",
         "notes": {"mandate": {"rule": HOSTILE}, "robots": {"basis": f"undefined>30d{HOSTILE}"}}},
        {"event": "hide", "target": HOSTILE, "match": HOSTILE, "because": HOSTILE, "until": HOSTILE},
        {"event": "outcome", "url": HOSTILE, "status": "captured", "mime": HOSTILE, "size": 9, "reason": HOSTILE,
         "usage": {HOSTILE: {"value": HOSTILE}}, "rule": HOSTILE, "review": True, "record": {"file": HOSTILE}},
    )  # fmt: skip
    for row in rows:
        made.take(row)
    return made


def tree() -> html.HtmlElement:
    return html.document_fromstring("".join(page(hostile())).encode())


def test_nothing_of_a_site_becomes_markup() -> None:
    text, root = "".join(page(hostile())), tree()
    assert root.xpath("//script | //img | //a | //link | //iframe | //form | //@onerror | //@href | //@src") == []
    assert "\u202e" not in text
    assert text.count("&lt;script&gt;") > 60
    for table in root.xpath("//table/caption"):
        assert HOSTILE[:8] in table.xpath("string(ancestor::table)") or table.text in PLAIN, table.text


def test_structure_is_accessible() -> None:
    root = tree()
    assert root.get("lang") == "en"
    assert root.xpath("string(//title)")
    assert len(root.xpath("//main")) == len(root.xpath("//h1")) == 1
    levels = [int(node.tag[1]) for node in root.xpath("//h1 | //h2 | //h3 | //h4")]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    for table in root.xpath("//table"):
        assert table.xpath("string(caption)")
        assert table.xpath("thead/tr/th[@scope='col']")
        assert all(row.xpath("th[@scope='row']") for row in table.xpath("tbody/tr"))
        assert {len(row) for row in table.xpath("thead/tr | tbody/tr")} == {len(table.xpath("thead/tr/th"))}
        (region,) = table.xpath("parent::div[@role='region']")
        assert region.get("tabindex") == "0"
        assert region.get("aria-label") == table.xpath("string(caption)")
    assert root.xpath("//th[not(@scope)] | //*[@style]") == []


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
def test_contrast_suffices(scheme: str) -> None:
    """WCAG 2.2: 7 to 1 for text (1.4.6), 3 to 1 for bars, lines and borders (1.4.11). Colours are variables only."""
    style = tree().xpath("string(//style)")
    colours = {found[1]: found[2] for found in re.finditer(r"--(\w+):#([0-9a-f]{3,6})\b", block(style, scheme))}
    colours = {
        name: value if len(value) == 6 else "".join(2 * char for char in value) for name, value in colours.items()
    }
    assert set(colours) == {"ink", "soft", "paper", "line", "bar", "good", "stop", "fail", "wait"}
    for name, colour in colours.items():
        if name != "paper":
            assert contrast(colour, colours["paper"]) >= (7 if name in ("ink", "soft") else 3), name
    assert set(re.findall(r"#[0-9a-f]{3,6}\b", style)) == set(re.findall(r"(?<=:)#[0-9a-f]{3,6}(?=[;}])", style))
    assert not re.search(r"(?:color|fill|stroke|background):#", style), "a colour beside the variables"


def block(style: str, scheme: str) -> str:
    """The variables of one scheme."""
    begin = {"light": ":root{", "dark": "dark){:root{", "print": "@media print{:root{"}[scheme]
    start = style.index(begin)
    return style[start : style.index("}", start)]


def contrast(front: str, ground: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
        red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(front), luminance(ground)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_answers_stand_before_the_tables() -> None:
    root, made = tree(), hostile()
    assert [node.text for node in root.xpath("//h3")] == [one.question for one in answers(made)]
    assert root.xpath("//h3/following::table") == root.xpath("//table")
    assert "break-before:page" in root.xpath("string(//style)")


def test_each_chart_has_a_text_and_a_table() -> None:
    root: Any = html.document_fromstring("".join(page(sample())).encode())
    charts = root.xpath("//figure")
    assert len(charts) == 3
    for chart in charts:
        (drawn,) = chart.xpath("svg[@role='img']")
        named = [root.xpath("string(//*[@id=$id])", id=one) for one in drawn.get("aria-labelledby").split()]
        assert len(named) == 2 and all(named)
        assert chart.getnext().xpath("string(@role)") == "region"
        assert chart.getnext().xpath("table")
    assert len(set(root.xpath("//@id"))) == len(root.xpath("//@id"))


def test_nothing_is_drawn_of_nothing() -> None:
    made = Report(job="0", collection="main", generated="now", counts=dict.fromkeys(COUNTS, 0))
    root: Any = html.document_fromstring("".join(page(made)).encode())
    assert root.xpath("//svg | //table") == []


def test_bars_are_as_long_as_their_numbers() -> None:
    drawn: Any
    (drawn,) = html.fragments_fromstring("".join(bar_chart("n", "t", [("a", 400, ""), ("b", 100, ""), ("c", 0, "")])))
    widths = [float(bar.get("width")) for bar in drawn.xpath(".//rect")]
    assert widths[0] == pytest.approx(4 * widths[1], abs=0.2)
    assert widths[2] == 0


@pytest.mark.parametrize(
    ("number", "says"),
    [(0, "0 bytes"), (999, "999 bytes"), (1_000, "1 kB"), (1_234_567, "1.23 MB"), (10**18, "1e+03 PB")],
)
def test_octets(number: int, says: str) -> None:
    assert octets(number) == says


@pytest.mark.parametrize(("number", "says"), [(1, "1 s"), (64, "1.07 min"), (7_200, "2 h"), (200_000, "2.31 d")])
def test_seconds(number: float, says: str) -> None:
    assert seconds(number) == says
