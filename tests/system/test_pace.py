"""Pace as the site sees it (decision 12): every gap is measured by the server, and is a lower bound.

The sites are on loopback, allowed by address, and `--delay` is not given: the pace is the default one.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from tests.system.cli import archiver, running
from tests.system.paced import (
    Answer,
    Hit,
    Page,
    Site,
    allow,
    html,
    paced,
    redirect,
    robots,
    save,
    together,
    with_images,
)

pytestmark = pytest.mark.system


def visits(site: Site, *names: str) -> list[tuple[Hit, list[Hit]]]:
    """Each page with its own images, in order of arrival."""
    found = [(site.of(f"/{name}")[0], site.of(f"/{name}-")) for name in names]
    return sorted(found, key=lambda visit: visit[0].at)


def assert_one_pace(site: Site, *names: str, gap: float = 1.0) -> None:
    """Visits apart by the gap, never two at once, at most four requisites in flight, every burst paid back."""
    found = visits(site, *names)
    for (page, images), (following, _) in pairwise(found):
        assert following.at - page.at >= gap
        first, last = min(one.at for one in images), max(one.done for one in images)
        assert following.at - last >= last - first, "paid back"
    assert site.most_in_flight([image for _, images in found for image in images]) <= 4


# --- what a site declares ---------------------------------------------------------------------------------------------


def declared(text: str) -> dict[str, Answer]:
    """A page behind a redirect, with a style sheet, an icon, and an image that redirects."""
    head = "<link rel=stylesheet href=/s.css><link rel=icon href=/favicon.ico>"
    return {
        "/robots.txt": robots(text),
        "/": redirect("/page"),
        "/page": html("/i.png", text=head),
        "/s.css": Page(body=b"p{}", content_type="text/css"),
        "/i.png": redirect("/j.png"),
        "/j.png": Page(),
        "/favicon.ico": Page(),
        "/second": html(),
    }


def test_a_declared_delay_lies_between_any_two_requests(tmp_path: Path) -> None:
    """Documents, requisites, redirects, robots.txt; by either record; two origins at once do not wait for each other.

    A second process asks robots.txt anew, and keeps the delay to the first one's last request.
    """
    with paced(declared("Crawl-delay: 2")) as one, paced(declared("Request-rate: 1/2")) as two:
        ran = save(tmp_path, [one.url("/"), two.url("/")], one, two)
        again = save(tmp_path, [one.url("/second")], one)
    assert (ran.code, again.code) == (0, 0), ran.err + again.err
    for site, source in ((one, "Crawl-delay"), (two, "Request-rate")):
        assert f"archiver: note: http://{site.address}: {source} 2 s x 3 requisites: takes at least 6 s" in ran.err
    asked = ["/", "/favicon.ico", "/i.png", "/j.png", "/page", "/s.css"]
    for site, more in ((one, ["/second"]), (two, [])):
        assert sorted(hit.path for hit in site.pages[:6]) == asked and [hit.path for hit in site.pages[6:]] == more
        assert len(site.of("/robots.txt")) == 1 + len(more)
        assert min(site.gaps()) >= 2.0, (site.paths(), site.gaps())
    assert two.pages[0].at < one.pages[5].at and one.pages[0].at < two.pages[5].at


def test_outside_the_declared_hours_nothing_is_asked(tmp_path: Path) -> None:
    opens = datetime.now(UTC) + timedelta(hours=2)
    window = f"Visit-time: {opens:%H%M}-{opens + timedelta(hours=1):%H%M}"
    with paced({"/robots.txt": robots(window), "/a": html(), "/b": html()}) as site:
        ran = save(tmp_path, [site.url("/a"), site.url("/b")], site)
    assert (ran.code, site.paths()) == (32, ["/robots.txt"])
    expected = opens.replace(second=0, microsecond=0)
    for told in ran.objects:
        assert (told["status"], told["decision"]["reason"]) == ("deferred", "visitTime"), told
        not_before = datetime.fromisoformat(told["decision"]["not_before"])
        assert abs(not_before - expected) < timedelta(minutes=1, seconds=1)


# --- without a word from the site -------------------------------------------------------------------------------------

VERBS = {
    "save": ("save",),
    "pump": ("crawl", "--driver", "pump"),
    "scrapy": ("crawl", "--driver", "scrapy"),
}


def command(verb: str, site: Site, names: tuple[str, ...], collection: str) -> list[str]:
    """The verb over these pages and nothing else."""
    first, *options = VERBS[verb]
    urls = [site.url(f"/{name}") for name in names]
    if first == "crawl":
        urls = [part for url in urls for part in ("--url", url)] + ["--scope-type", "page"]
    return [first, *urls, *options, *allow(site), "--collection", collection]


@pytest.mark.parametrize("verb", ["pump", "scrapy"])
def test_visits_lie_apart_and_bursts_are_paid_back(tmp_path: Path, verb: str) -> None:
    """Twelve images of half a second, four at a time: a burst is longer than the gap, and binds the next visit."""
    names = ("a", "b", "c")
    pages = with_images("a", 12, 0.5) | with_images("b", 2, 0.1) | with_images("c", 1, 0.0)
    with paced(pages) as site:
        ran = archiver(*command(verb, site, names, "main"), cwd=tmp_path)
    assert ran.code == 0, ran.err
    assert len(site.pages) == 3 + 15
    assert_one_pace(site, *names)


@pytest.mark.parametrize(("one", "other"), [("save", "pump"), ("pump", "scrapy")])
def test_two_processes_keep_one_pace(tmp_path: Path, one: str, other: str) -> None:
    pages: dict[str, Answer] = {}
    for name in ("a", "b", "c", "d"):
        pages |= with_images(name, 5, 0.2)
    with paced({**pages, "/robots.txt": together(2, robots("Allow: /"))}) as site:
        with running(*command(one, site, ("a", "b"), "one"), cwd=tmp_path) as first:
            second = archiver(*command(other, site, ("c", "d"), "other"), cwd=tmp_path)
            first.communicate(timeout=60)
    assert (first.returncode, second.code) == (0, 0), second.err
    assert_one_pace(site, "a", "b", "c", "d")


def test_a_host_that_only_gave_requisites_is_paid_back_too(tmp_path: Path) -> None:
    """By the next process as well. Pages of two sites share it: together they have four requests in flight there."""
    images = {f"/i{number}.png": Page(pause=0.4) for number in range(12)}
    with paced({**images, "/later": html()}) as shared:
        pages = [
            {"/page": html(*(shared.url(f"/i{number}.png") for number in part))} for part in (range(6), range(6, 12))
        ]
        with paced(pages[0]) as one, paced(pages[1]) as two:
            ran = save(tmp_path, [one.url("/page"), two.url("/page")], one, two, shared)
        later = save(tmp_path, [shared.url("/later")], shared)
    assert (ran.code, later.code) == (0, 0), ran.err + later.err
    hits, (page,) = shared.of("/i"), shared.of("/later")
    assert len(hits) == 12 and shared.most_in_flight(hits) <= 4
    # Each of the two visits paid for itself: the shorter of two bursts is the least that may be seen.
    bursts = [[hit for hit in hits if int(hit.path[2:-4]) in part] for part in (range(6), range(6, 12))]
    last = max(bursts, key=lambda burst: max(hit.done for hit in burst))
    end = max(hit.done for hit in last)
    assert page.at - end >= end - min(hit.at for hit in last)


def test_a_redirect_to_another_origin_is_a_visit_there(tmp_path: Path) -> None:
    with paced({"/y": html(), "/x1": html(), "/x2": html()}) as target:
        moved = {"/a": redirect(target.url("/x1")), "/b": redirect(target.url("/x2"))}
        with paced(moved) as one, paced(moved) as two:
            ran = save(tmp_path, [one.url("/a"), two.url("/b"), target.url("/y")], one, two, target)
    assert ran.code == 0, ran.err
    assert sorted(hit.path for hit in target.pages) == ["/x1", "/x2", "/y"]
    assert min(target.gaps(target.pages)) >= 1.0
