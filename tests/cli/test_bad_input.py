"""Bad input: one line on stderr that names it, exit 2 (4 for a file), and nothing written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Verb

LOCAL = "http://127.0.0.1:9/"


def refused_at_once(verb: Verb, arguments: list[str], code: int, word: str) -> None:
    before = sorted(Path.cwd().rglob("*"))
    said = verb(*arguments)
    assert said.code == code, said
    lines = said.err.splitlines()
    assert len(lines) == 1 and lines[0].startswith("archiver: ") and word in lines[0], said.err
    assert lines[0].isprintable()
    assert said.out == ""
    assert sorted(Path.cwd().rglob("*")) == before


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("http://127.0.0.1/a\r\nb", "U+000D"),
        ("http://127.0.0.1/a\tb", "U+0009"),
        ("http://127.0.0.1/a\x00b", "U+0000"),
        ("http://127.0.0.1/a\x1b[2Jb", "U+001B"),
        ("http://127.0.0.1/a\u202eb", "U+202E"),
        ("http://x\ud800y/", "U+D800"),
        ("", "empty"),
        ("   ", "empty"),
        ("http://", "valid"),
        ("http://[::1/", "valid"),
        ("http://xn--a/", "valid"),
        ("file:///etc/passwd", "'file'"),
        ("ftp://example.org/", "'ftp'"),
        ("data:text/html,x", "'data'"),
        ("javascript:alert(1)", "'javascript'"),
        ("s3://bucket/key", "'s3'"),
        ("chrome://settings", "'chrome'"),
        ("view-source:http://x", "'view-source'"),
        ("http://user:secret@example.org/", "password"),
        ("http://127.0.0.1/" + "a" * 65_536, "longer than 65535"),
        ("http://127.0.0.1/" + "a" * 2_000_000, "longer than 65535"),
        ("http://127.0.0.1:0/", "port 0"),
        ("http://127.0.0.1:65536/", "port"),
        ("http://127.0.0.1:-1/", "port"),
        (f"http://{'a' * 300}.example/", "too long for DNS"),
    ],
)
@pytest.mark.parametrize("how", [["save"], ["crawl", "--url"], ["why"]])
def test_urls(verb: Verb, how: list[str], url: str, word: str) -> None:
    refused_at_once(verb, [*how, url], 2, word)


@pytest.mark.parametrize(
    "name",
    ["../x", "..", ".", "/abs", "a/b", "a\\b", "%2e%2e%2f", "%252e", "", "a" * 300, "a b", "\N{GRINNING FACE}", "CON",
     "-rf", "--help", "News"],
)  # fmt: skip
def test_collection_names(verb: Verb, name: str) -> None:
    refused_at_once(verb, ["save", LOCAL, f"--collection={name}"], 2, "--collection")
    refused_at_once(verb, ["list", "--", name], 2, "--collection")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ([], "VERB"),
        (["bogus"], "'bogus'"),
        (["save", LOCAL, "--bogus"], "--bogus"),
        (["save", LOCAL, "--delay", "-1"], "--delay"),
        (["save", LOCAL, "--delay", "nan"], "--delay"),
        (["save", LOCAL, "--delay", "inf"], "--delay"),
        (["save", LOCAL, "--delay", "1e309"], "--delay"),
        (["save", LOCAL, "--delay", "soon"], "--delay"),
        (["save", LOCAL, "--concurrency", "0"], "--concurrency"),
        (["save", LOCAL, "--concurrency", "1.5"], "--concurrency"),
        (["save", LOCAL, "--lane", "x"], "--lane"),
        (["save", LOCAL, "--policy", "x"], "--policy"),
        (["save", LOCAL, "--require", "x"], "--require"),
        (["save", LOCAL, "--contact", "nobody"], "--contact"),
        (["save", LOCAL, "--note", "a\nb"], "--note"),
        (["save", LOCAL, "--tag", "a\x1bb"], "--tag"),
        (["save", LOCAL, "--allow-address", "x"], "--allow-address"),
        (["save", LOCAL, "--allow-address", "169.254.169.254:80"], "metadata"),
        (["save", "--demo", LOCAL], "--demo"),
        (["crawl"], "CONFIG.yaml"),
        (["crawl", "--url", LOCAL, "--limit", "-1"], "--limit"),
        (["crawl", "--url", LOCAL, "--depth", "x"], "--depth"),
        (["crawl", "--url", LOCAL, "--driver", "x"], "--driver"),
        (["crawl", "--url", LOCAL, "--scope-type", "x"], "--scope-type"),
        (["crawl", "--url", LOCAL, "--scope-type", "custom", "--include", "(a"], "--include"),
        (["list", "--format", "xml"], "--format"),
        (["replay", "--port", "70000"], "--port"),
        (["replay", "none"], "'none'"),
        (["save", LOCAL, "--out", ""], "--out"),
        (["save", LOCAL, "--out="], "--out"),
        (["crawl", "--url", LOCAL, "--out", " "], "--out"),
        (["list", "--out", ""], "--out"),
        (["why", LOCAL, "--out", ""], "--out"),
        (["doctor", "--out", ""], "--out"),
        (["verify", "nowhere"], "nowhere"),
    ],
)
def test_options(verb: Verb, arguments: list[str], word: str) -> None:
    refused_at_once(verb, arguments, 2, word)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (b"seeds: [http://127.0.0.1:9/]\nbogus: 1\n", "line 2"),
        (b"seeds: [http://127.0.0.1:9/]\npageLimt: 5\n", "pageLimit"),
        (b"seeds: [http://127.0.0.1:9/]\npageLimit: many\n", "pageLimit"),
        (b"seeds: [http://127.0.0.1:9/]\npageLimit: -5\n", "pageLimit"),
        (b"seeds: [http://127.0.0.1:9/]\nsizeLimit: 10GBB\n", "sizeLimit"),
        (b"seeds: [http://127.0.0.1:9/]\ntimeLimit: .nan\n", "timeLimit"),
        (b"seeds: [http://127.0.0.1:9/]\ntimeLimit: .inf\n", "timeLimit"),
        (b"seeds: [http://127.0.0.1:9/]\nseeds: []\n", "line 2"),
        (b"seeds:\n\t- http://127.0.0.1:9/\n", "line 2"),
        (b"seeds: !!python/object/apply:os.system ['touch owned']\n", "line 1"),
        (b"seeds: [http://127.0.0.1:9/]\nuserAgentSuffix: \"a\\r\\nX: y\"\n", "userAgentSuffix"),
        (b"seeds: [http://127.0.0.1:9/]\nuserAgentSuffix: " + b"a" * 10_000 + b"\n", "userAgentSuffix"),
        (b"seeds: [ftp://127.0.0.1/]\n", "ftp"),
        (b"seeds: []\n", "seed"),
        (b"seeds: [http://127.0.0.1:9/]\nuseRobots: false\n", "policy"),
        (b"seeds: [http://127.0.0.1:9/]\nprofile: strict\n", "policy"),
        (b"seeds: [http://127.0.0.1:9/]\nstorage: {endpointUrl: 'http://s3.example.org/b'}\n", "endpointUrl"),
        (b"seeds: [http://127.0.0.1:9/]\nstorage: {endpointUrl: 'https://s3.example.org/B_ad'}\n", "bucket"),
        (b"seeds: [http://127.0.0.1:9/]\nstorage: {endpointUrl: 'https://s3.example.org/bucket', region: 'x y'}\n",
         "region"),
        (b"\xff\xfe" + "seeds: [x]".encode("utf-16-le"), "UTF-8"),
        (b"a: &a [x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\n"
         b"c: &c [*b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c, *c, *c]\nseeds: *d\n", ""),
        (b"seeds: [http://127.0.0.1:9/]\n# " + b"x" * 10_000_000 + b"\n", "large"),
    ],
)  # fmt: skip
def test_config_files(verb: Verb, text: bytes, word: str) -> None:
    Path("crawl.yaml").write_bytes(text)
    refused_at_once(verb, ["crawl", "crawl.yaml"], 4, word)


@pytest.mark.parametrize("order", ["O.A.B", "A.O.B", "A.B.O", "A.O.B.O"])
def test_options_stand_where_one_likes(verb: Verb, order: str) -> None:
    words = {"O": ["--tag", "x"], "A": [LOCAL + "a"], "B": [LOCAL + "b"]}
    said = verb("save", "--json", *(word for one in order.split(".") for word in words[one]))
    assert [json.loads(line)["url"] for line in said.out.splitlines()] == [LOCAL + "a", LOCAL + "b"], said


def test_a_seed_twice_and_by_its_fragment_is_one_visit(verb: Verb) -> None:
    said = verb("save", LOCAL, LOCAL, f"{LOCAL}#top", "--json")
    assert len(said.out.splitlines()) == 1 and said.code == 30


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "localhost.", "0", "[::1]", "[::ffff:7f00:1]", "2130706433", "0177.1", "0x7f.1", "127.1",
     "169.254.169.254", "[fd00:ec2::254]", "10.0.0.1", "[64:ff9b::7f00:1]"],
)  # fmt: skip
def test_private_addresses_however_spelled(verb: Verb, host: str) -> None:
    said = verb("save", f"http://{host}/", "--contact", "me@example.org", "--json")
    assert said.code == 30, said
    assert '"privateAddress"' in said.out


@pytest.mark.parametrize("port", [22, 25, 6379])
def test_ports_that_are_not_the_web(verb: Verb, port: int) -> None:
    assert verb("save", f"http://127.0.0.1:{port}/", "--json").code == 30


def test_a_collection_that_is_a_link_is_not_followed(verb: Verb, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    Path("crawls/collections").mkdir(parents=True)
    Path("crawls/collections/main").symlink_to(target)
    said = verb("save", LOCAL)
    assert said.code == 3 and "symbolic link" in said.err and said.err.count("\n") == 1
    assert list(target.iterdir()) == []


def test_a_folder_that_is_a_file_or_nowhere(verb: Verb) -> None:
    Path("file").write_text("mine")
    for out, word in (("file", "not a folder"), ("/proc/nowhere", "/proc/nowhere"), ("/dev/null", "not a folder")):
        said = verb("save", LOCAL, "--out", out)
        assert said.code == 3 and word in said.err and said.err.count("\n") == 1, said
    assert Path("file").read_text() == "mine"


def test_hostile_proxy_variables_are_ignored_and_said_so(verb: Verb, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1/")
    said = verb("save", LOCAL)
    assert "proxy variables are ignored" in said.err and said.code == 30


def test_a_list_with_a_byte_order_mark_and_line_ends_of_windows(verb: Verb) -> None:
    Path("crawl.yaml").write_bytes(b"\xef\xbb\xbf# mine\r\nseeds:\r\n  - http://127.0.0.1:9/\r\n\r\ndriver: pump\r\n")
    said = verb("crawl", "crawl.yaml", "--json")
    assert said.code == 30 and '"url": "http://127.0.0.1:9/"' in said.out, said


def test_zero_means_no_limit(verb: Verb) -> None:
    assert verb("crawl", "--url", LOCAL, "--limit", "0", "--driver", "pump", "--json").code == 30
