"""Contact, user agent, and when a contact is needed."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from archiver import __version__
from archiver.config import Identity, contact_needed, for_save, is_own, read_contact, store_contact, with_contact
from archiver.errors import DiskError, UsageError

HERE = {"HOME": "/nonexistent"}


@pytest.mark.parametrize(
    ("text", "contact"),
    [
        ("you@example.org", "you@example.org"),
        ("mailto:you+bot@sub.example.org", "you+bot@sub.example.org"),
        ("https://example.org/bot", "https://example.org/bot"),
        ("HTTPS://Example.org", "https://example.org/"),
    ],
)
def test_contacts(text: str, contact: str) -> None:
    assert read_contact(text) == contact
    assert read_contact(contact) == contact


@pytest.mark.parametrize(
    "text",
    ["", "x", "http://example.org/", "https://localhost/", "https://127.0.0.1/", "https://u:p@example.org/", "a@b",
     "a b@example.org", "https://example.org/(x)", "https://example.org/;x", "a@exam_ple.org", "you@x.org\r\nX: y",
     "é@example.org", "https://example.org/" + "x" * 300, "..@example.org"],
)  # fmt: skip
def test_no_contacts(text: str) -> None:
    with pytest.raises(ValueError, match=r"must|valid|longer|line end"):
        read_contact(text)


def test_user_agent_tells_the_truth() -> None:
    assert Identity().user_agent == f"Mozilla/5.0 (compatible; PoliteArchiver/{__version__})"
    mail = Identity(contact="you@example.org", user_agent_suffix="News")
    assert mail.user_agent == f"Mozilla/5.0 (compatible; PoliteArchiver/{__version__}; +mailto:you@example.org) News"
    assert mail.mailbox == "you@example.org"
    page = Identity(contact="https://example.org/bot", robots_agent="LibraryBot")
    assert page.mailbox is None
    assert page.agents == ("LibraryBot", "PoliteArchiver")
    assert f"LibraryBot/{__version__}; PoliteArchiver/{__version__}; +https://example.org/bot" in page.user_agent


def test_a_user_agent_of_ones_own_must_say_as_much() -> None:
    contact = "you@example.org"
    assert Identity(contact=contact, custom_user_agent="PoliteArchiver/1 (+mailto:you@example.org)").problem() is None
    assert "mailto:you@example.org" in str(Identity(contact=contact, custom_user_agent="PoliteArchiver/1").problem())
    config = for_save(["http://example.org/"], {"userAgent": "PoliteArchiver/1 (+mailto:you@example.org)"}, HERE)
    assert with_contact(config, contact).identity.user_agent == "PoliteArchiver/1 (+mailto:you@example.org)"


@pytest.mark.parametrize(
    ("url", "allowed", "needed"),
    [
        ("http://127.0.0.1:8080/", ["127.0.0.1:8080"], False),
        ("http://127.0.0.1:8080/", ["127.0.0.0/8:8080"], False),
        ("http://[::1]:8080/", ["[::1]:8080"], False),
        ("http://localhost:8080/", ["localhost:8080"], False),
        ("http://localhost:8080/", [], False),
        ("http://127.0.0.1:8080/", [], False),
        ("http://10.0.0.1:8080/", ["10.0.0.1:8080"], True),
        ("http://test.lan:8080/", ["test.lan:8080"], True),
        ("https://example.org/", [], True),
    ],
)
def test_only_loopback_needs_no_contact(url: str, allowed: list[str], needed: bool) -> None:
    config = for_save([url], {"allowAddresses": allowed}, HERE)
    assert contact_needed(config) is needed
    assert contact_needed(with_contact(config, "you@example.org")) is False


@pytest.mark.parametrize(
    ("name", "value"), [("userAgentSuffix", "a<b>"), ("userAgent", "é"), ("contact", "https://[x/")]
)
def test_what_no_header_may_hold(name: str, value: str) -> None:
    with pytest.raises(UsageError, match=r"must|may hold|not a valid"):
        for_save(["https://example.org/"], {name: value}, HERE)


def test_own_hosts() -> None:
    config = for_save(["http://a.org/"], {"allowAddresses": ["b.org:81"], "ownHosts": ["a.org", "10.0.0.0/8"]}, HERE)
    assert is_own(config, "a.org", 443)
    assert is_own(config, "b.org", 81)
    assert is_own(config, "10.2.3.4", 80)
    assert not is_own(config, "b.org", 80)
    assert not is_own(config, "sub.a.org", 80)


def test_a_name_of_this_machine_is_own_by_its_address() -> None:
    config = for_save(["http://localhost:81/"], {"allowAddresses": ["127.0.0.1:81"]}, HERE)
    assert is_own(config, "localhost", 81) and is_own(config, "a.localhost", 81)
    assert not is_own(config, "localhost", 82)


def test_the_contact_is_kept_and_other_lines_stay(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    contact, path = store_contact("mailto:you@example.org", environ)
    assert contact == "you@example.org"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert for_save(["https://example.org/"], {}, environ).identity.contact == contact
    path.write_text("# mine\noperator: Me\ncontact: old@example.org\nlang: de")
    store_contact("https://example.org/bot", environ)
    assert path.read_text() == '# mine\noperator: Me\ncontact: "https://example.org/bot"\nlang: de'
    path.write_text("lang: de")
    store_contact("new@example.org", environ)
    assert path.read_text() == 'lang: de\ncontact: "new@example.org"\n'
    assert [one.name for one in path.parent.iterdir()] == ["config.yaml"]


def test_a_contact_that_cannot_be_kept(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="contact:"):
        store_contact("nobody", {"HOME": str(tmp_path)})
    (tmp_path / ".config").write_text("in the way")
    with pytest.raises(DiskError, match="cannot be kept"):
        store_contact("you@example.org", {"HOME": str(tmp_path)})
