"""A set that forgets what nobody asks for, never invents, and stays bounded."""

from hypothesis import given
from hypothesis import strategies as st

from archiver.frontier.recent import RecentSet


@given(st.lists(st.integers(0, 40).map(str)), st.integers(1, 10))
def test_it_never_claims_what_was_not_added(texts: list[str], size: int) -> None:
    recent, added = RecentSet(size), set()
    for text in texts:
        assert text not in recent or text in added
        recent.add(text)
        added.add(text)
        assert text in recent
        assert sum(str(n) in recent for n in range(41)) <= 2 * size


def test_what_is_asked_for_stays() -> None:
    recent = RecentSet(10)
    recent.add("every page's menu")
    for n in range(1000):
        recent.add(str(n))
        if n % 9 == 0:
            assert "every page's menu" in recent
    assert "0" not in recent


def test_clear() -> None:
    recent = RecentSet(2)
    recent.update("abc")
    recent.clear()
    assert not any(letter in recent for letter in "abc")


def test_missing_tells_what_in_would_and_keeps_what_is_asked_for() -> None:
    recent, other = RecentSet(10), RecentSet(10)
    for n in range(200):
        texts = [str(n), str(n // 2), "menu", "menu"]
        assert recent.missing(texts) == {text for text in texts if text not in other}
        recent.update([str(n), "menu"])
        other.update([str(n), "menu"])
    assert "menu" in recent and "0" not in recent
