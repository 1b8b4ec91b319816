"""What pywb is told, and which origin a collection gets."""

import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from archiver.model import Access
from archiver.replay.layout import CSP, SANDBOX, STATIC, Bucket, host_of, origin_of, pywb_config, replay_url

NAMES = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,62}", fullmatch=True)
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def test_nothing_but_reading_is_configured() -> None:
    config = pywb_config("news", Path("/view"), public=False)
    assert list(config["collections"]) == ["news"]
    entry = config["collections"]["news"]
    assert entry["index_group"] == {name: f"/view/index/{name}/" for name in ("open", "restricted", "dark")}
    assert entry["archive_paths"] == ["/view/warcs/*/"]
    assert config["enable_auto_colls"] is False
    assert not {"recorder", "proxy", "live"} & config.keys()
    assert (entry["acl_paths"], entry["default_access"]) == ("/view/acl/", "allow")  # hides bind the owner too


def test_the_public_sees_what_is_open_and_what_the_rules_allow() -> None:
    entry = pywb_config("news", Path("/view"), public=True)["collections"]["news"]
    assert entry["index_group"] == {"open": "/view/index/open/", "opened": "/view/index/opened/"}
    assert entry["acl_paths"] == "/view/acl/"


def test_what_is_not_here_is_read_in_the_bucket() -> None:
    folders = {
        Access.OPEN: "p/collections/news/archive",
        Access.RESTRICTED: "p/private/collections/news/restricted",
        Access.DARK: "p/private/collections/news/dark",
    }
    bucket = Bucket(name="b", folders=folders, environ={"AWS_SECRET_ACCESS_KEY": "SK"})
    assert "SK" not in repr(bucket)
    owner = pywb_config("news", Path("/view"), public=False, bucket=bucket)["collections"]["news"]
    assert owner["archive_paths"] == ["/view/warcs/*/", "s3://b/*/"]
    assert owner["index_group"] == {folders[one]: f"/view/index/{one.value}/" for one in Access}
    public = pywb_config("news", Path("/view"), public=True, bucket=bucket)["collections"]["news"]
    opened = {folders[Access.OPEN]: "/view/index/open/", folders[Access.RESTRICTED]: "/view/index/opened/"}
    assert public["index_group"] == opened


def test_addresses() -> None:
    assert host_of("news-2026") == "news-2026.replay.localhost"
    assert origin_of("news", 80) == "http://news.replay.localhost"
    assert replay_url("news", 8090) == "http://news.replay.localhost:8090/news/"
    shown = replay_url("news", 8090, timestamp="20261123120000", url="https://example.org/?a=%2F")
    assert shown == "http://news.replay.localhost:8090/news/20261123120000/https://example.org/?a=%2F"


@given(NAMES)
def test_every_name_has_a_host_that_a_browser_takes(name: str) -> None:
    label, _, rest = host_of(name).partition(".")
    assert rest == "replay.localhost"
    assert LABEL.fullmatch(label) and label[2:4] != "--", label


@given(NAMES, NAMES)
def test_no_two_names_share_an_origin(one: str, other: str) -> None:
    assert (host_of(one) == host_of(other)) is (one == other)


def test_names_that_look_alike_stay_apart() -> None:
    names = ["a_b", "a-b", "a--b", "a-b-", "a-u-b", "a_-b", "xn--a", "xn-a", "a" * 63, "a" * 62 + "_"]
    assert len({host_of(name) for name in names}) == len(names)


def test_no_collection_can_stand_where_pywbs_own_files_are() -> None:
    assert STATIC.startswith("_")  # collection names begin with a letter or a digit


def test_the_policy_names_no_other_origin() -> None:
    directives = dict(part.strip().partition(" ")[::2] for part in CSP.split(";"))
    assert {"default-src", "form-action", "frame-ancestors", "base-uri"} == directives.keys()
    assert not re.search(r"https?:|wss?:|\*", CSP + SANDBOX)
    assert "allow-top-navigation" not in SANDBOX and "allow-popups" not in SANDBOX
