"""Collecting references."""

from __future__ import annotations

from archiver.extract.page import MAX_REQUISITES, References, Requisite


def test_references_are_resolved_once_and_kept_in_order() -> None:
    refs = References("http://h/a/")
    refs.rebase("../b/")
    for raw in ("x#1", "y", "x#2", " x ", "#", "", None, "DATA:,x"):
        refs.requisite(raw, "image")
    assert list(refs.requisites.values()) == [Requisite("http://h/b/x", "image"), Requisite("http://h/b/y", "image")]


def test_without_a_base_there_are_no_references() -> None:
    refs = References("not a url")
    refs.link("http://h/", None, "a")
    refs.style("a{b:url(http://h/)}")
    assert not refs.links and not refs.requisites


def test_a_full_list_stops_the_reading_of_sheets_and_sets() -> None:
    refs = References("http://h/")
    refs.style("".join(f"a{{b:url({number})}}" for number in range(MAX_REQUISITES + 5)))
    refs.srcset(",".join(f"s{number}" for number in range(5)))
    assert refs.capped and len(refs.requisites) == MAX_REQUISITES
