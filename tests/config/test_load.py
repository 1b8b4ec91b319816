"""Layers, precedence, and every way a config can be wrong (each names the key, the line and the fix)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from archiver.config import Config, Secret, for_save, load, without_seeds
from archiver.errors import ArchiverError, ConfigError, UsageError

SEED = "seeds:\n  - https://example.org/\n"


def from_text(tmp_path: Path, text: str, overrides: dict[str, Any] | None = None, **environ: str) -> Config:
    path = tmp_path / "crawl.yaml"
    path.write_text(text)
    return load(path, overrides, {"HOME": str(tmp_path), **environ})


def refused(tmp_path: Path, text: str, overrides: dict[str, Any] | None = None, **environ: str) -> ArchiverError:
    with pytest.raises(ArchiverError) as caught:
        from_text(tmp_path, text, overrides, **environ)
    return caught.value


def test_seeds_take_the_top_levels_scope_and_keep_their_own(tmp_path: Path) -> None:
    config = from_text(
        tmp_path,
        "scopeType: host\nexclude: ['/a/']\ndepth: 3\n"
        "seeds:\n  - https://example.org\n  - url: example.net/x#frag\n    scopeType: page\n    exclude: []\n",
    )
    first, second = config.seeds
    assert (first.url, first.scope_type, first.exclude, first.depth) == ("https://example.org/", "host", ("/a/",), 3)
    assert (second.url, second.scope_type, second.exclude, second.depth) == ("https://example.net/x", "page", (), 3)


def test_url_is_short_for_seeds_and_doubles_count_once(tmp_path: Path) -> None:
    config = from_text(tmp_path, "url: https://example.org/\nseeds: [https://example.org/, https://example.org/b]\n")
    assert [seed.url for seed in config.seeds] == ["https://example.org/", "https://example.org/b"]


def test_command_line_beats_environment_beats_yaml_beats_users_file_beats_default(tmp_path: Path) -> None:
    user = tmp_path / ".config/archiver/config.yaml"
    user.parent.mkdir(parents=True)
    user.write_text("contact: user@example.org\ncollection: user\ndelay: 5\nlang: de\n")
    text = SEED + "collection: file\ndelay: 4\ncrawlId: file\nstorage: {bucket: file-bucket, path: file}\n"
    config = from_text(tmp_path, text, {"collection": "cli", "delay": None}, CRAWL_ID="env", STORE_PATH="env")
    assert config.job.collection == "cli"
    assert config.job.crawl_id == "env"
    assert config.pace.delay == 4
    assert (config.identity.contact, config.job.lang) == ("user@example.org", "de")
    assert config.pace.concurrency == 16
    assert config.storage is not None
    assert (config.storage.bucket, config.storage.path) == ("file-bucket", "env")


def test_save_takes_each_url_as_one_page() -> None:
    config = for_save(["example.org/a", "https://example.org/b"], {"collection": "news"}, {"HOME": "/nonexistent"})
    assert [(seed.url, seed.scope_type) for seed in config.seeds] == [
        ("https://example.org/a", "page"),
        ("https://example.org/b", "page"),
    ]
    with pytest.raises(UsageError, match="no URL"):
        for_save([], {}, {})
    with pytest.raises(UsageError, match="scheme"):
        for_save(["ftp://example.org/"], {}, {})


def test_crawl_without_a_file_and_verbs_without_seeds() -> None:
    config = load(
        None, {"url": ["https://example.org/"], "scopeType": "prefix", "limit": 500}, {"HOME": "/nonexistent"}
    )
    assert (config.limits.page_limit, config.seeds[0].scope_type) == (500, "prefix")
    with pytest.raises(UsageError, match="no URL"):
        load(None, {}, {"HOME": "/nonexistent"})
    assert without_seeds({}, {"HOME": "/nonexistent"}).seeds == ()


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("pageLimt: 5\n", 3, "pageLimt: unknown key; did you mean pageLimit?"),
        ("page_limit: 5\n", 3, "did you mean pageLimit?"),
        ("collection: a\ncollection: b\n", 4, "stands twice, first in line 3"),
        ("limit: five\n", 3, "limit: must be a whole number"),
        ("limit: [1]\n", 3, "limit: must be a whole number"),
        ("limit: true\n", 3, "limit: must be a whole number"),
        ("limit: -1\n", 3, "limit: must be from 0"),
        ("limit: 1e309\n", 3, "limit: must be a whole number"),
        ("sizeLimit: 10GBB\n", 3, "sizeLimit: must be a size"),
        ("sizeLimit: -1\n", 3, "sizeLimit: must be a size"),
        ("sizeLimit: .inf\n", 3, "sizeLimit: must be a size"),
        ("sizeLimit: 99999999T\n", 3, "sizeLimit: is too large"),
        ("timeLimit: .nan\n", 3, "timeLimit: must be seconds"),
        ("delay: -1\n", 3, "delay: must be seconds"),
        ("delay: " + "9" * 400 + "\n", 3, "delay: is too large"),
        ("visitTimeout: 0\n", None, "visitTimeout: must be more than 0"),
        ("maxVisitSeconds: 10\n", None, "maxVisitSeconds: must be at least visitTimeout"),
        ("dryRun: perhaps\n", 3, "dryRun: must be true or false"),
        ("scopeType: site\n", 3, "scopeType: must be one of page, page-spa, prefix"),
        ("exclude: ['(a+)+$(?=x)']\n", 3, "exclude: is not a pattern that RE2 can run in linear time"),
        ("collection: ../x\n", 3, "collection: '../x' is no collection name"),
        ("note: [a]\n", 3, "note: must be a text, not a list"),
        ('note: "a\\nb"\n', 3, "note: holds a line end"),
        ("lang: english!\n", 3, "lang: must be a language tag"),
        ("timezone: Mars/Base\n", 3, "timezone: must be a time zone"),
        ("allowAddresses: [127.0.0.1]\n", 3, "allowAddresses: '127.0.0.1': write HOST:PORT"),
        ("allowAddresses: ['169.254.169.254:80']\n", 3, "can never be allowed"),
        ("userAgent: ''\n", 3, "userAgent: must be a non-empty line"),
        ('userAgent: "a\\r\\nb"\n', 3, "userAgent: holds a line end"),
        ("userAgent: " + "x" * 10_000 + "\n", 3, "userAgent: is longer than 512"),
        ("userAgent: Mozilla/5.0 Chrome\n", None, "userAgent: must hold PoliteArchiver"),
        ("robotsAgent: Googlebot\n", 3, "robotsAgent: is the name of somebody else's crawler"),
        ("robotsAgent: bot2\n", 3, "robotsAgent: must be a product token"),
        ("contact: nobody\n", 3, "contact: must be an https URL or a mail address"),
        ("useRobots: false\n", 3, "`policy`"),
        ("robots: no\n", 3, "`policy`"),
        ("profile: strict\n", 3, "policy: strict"),
        ("profile: /home/me/login.tar.gz\n", 3, "profile: logins are not supported"),
        ("screenshot: whole\n", 3, "screenshot: must be one of view, fullPage, thumbnail"),
        ("warcPrefix: x\n", 3, "warcPrefix: WARC files are named ARCH"),
        ("override: robots\n", 3, "override: overrides are for one URL"),
        ("policy: lenient\n", 3, "policy: must be one of strict, research, legal-deposit"),
        ("policy: research\n", None, "needs legalBasis"),
        ("robots: {matcher: rfc9309}\n", None, "strict loosens robots.matcher; that needs legalBasis"),
        ("robots: {matchr: rfc9309}\n", 3, "robots.matchr: unknown key; did you mean matcher?"),
        ("robots: [a]\n", 3, "robots:"),
        ("signals: {gpc: 3}\n", 3, "signals.gpc: must be true or false"),
        ("onNoarchive: open\n", 3, "onNoarchive: must be one of drop-body, dark, restricted"),
        ("requisites: all\n", 3, "requisites: must be one of obey, transclude"),
        ("limit: 5\npageLimit: 6\n", 3, "limit: means the same as pageLimit"),
        ("storage: {bucket: ab}\n", 3, "storage.bucket: 'ab' is no bucket name"),
        ("storage: {bucket: abc, path: ../x}\n", 3, "storage.path: must not hold '.', '..'"),
        ("storage: {endpointUrl: 'http://s3.example.org/abc'}\n", 3, "is http:// to another machine"),
        ("storage: {endpointUrl: 'https://u:p@s3.example.org/abc'}\n", 3, "must not hold a user name"),
        ("storage: {endpointUrl: 'https://s3.example.org'}\n", None, "storage.bucket: not given"),
        ("storage: {bucket: abc, accessKey: AK}\n", None, "one is missing"),
        ("storage: {bucket: abc, region: 'EU WEST'}\n", 3, "storage.region"),
        ("storage: {bucket: abc, partSize: 1MB}\n", None, "storage.partSize: must be from 5 MiB"),
        ("storage: {accessKey: AK, secretKey: SK}\n", None, "no place"),
        ("storage: {bucket: abc, privatePath: ''}\n", 3, "storage.privatePath: must be a prefix of its own"),
        ("storage: {bucket: abc, privatePath: collections/x}\n", 3, "not below collections"),
        ("storage: {bucket: abc, tags: [a]}\n", 3, "storage.tags: must be a mapping"),
        ("storage: {bucket: abc, tags: {'aws:x': y}}\n", 3, "do not begin with aws:"),
        ("storage: {bucket: abc, sseKmsKeyId: k}\n", None, "storage.sseKmsKeyId: goes with sse: aws:kms"),
        ("a: &x [1]\n", 3, "anchors and aliases"),
        ("a: !!python/object:os.system x\n", 3, "is not allowed"),
        ("a:\n\t- b\n", 4, "tab"),
        ("a: [b\n", 4, "not valid YAML"),
        ("? [a]\n: b\n", 3, "a key must be a plain word"),
        ("---\na: b\n", 3, "second document"),
        ("note: " + "[" * 20 + "]" * 20 + "\n", 3, "nested deeper"),
    ],
)
def test_a_wrong_file_is_refused_by_name_and_line(tmp_path: Path, text: str, line: int | None, words: str) -> None:
    error = refused(tmp_path, SEED + text)
    assert isinstance(error, ConfigError)
    assert words in str(error)
    if line is not None:
        assert f"crawl.yaml, line {line}:" in str(error), str(error)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("seeds:\n  - ftp://example.org/\n", "line 2: url:"),
        ("seeds:\n  - url: http://u:p@example.org/\n", "line 2: url:"),
        ("seeds:\n  - scopeType: page\n", "a seed needs a url"),
        ("seeds:\n  - [a]\n", "a seed is a URL"),
        ("seeds:\n  - {url: 'https://example.org/', scopeType: custom}\n", "seeds.include"),
        ("seeds:\n  - {url: 'https://example.org/', dept: 3}\n", "seeds.dept: unknown key; did you mean depth?"),
        ("seeds:\n  - {url: 'https://example.org/', auth: 'u:p'}\n", "seeds.auth: logins are not supported"),
        ("- https://example.org/\n", "must hold 'key: value' lines"),
        ("collection: a\n", "no seeds"),
        ("", "no seeds"),
        ("a: " + "x" * 1_000_001, "larger than 1000000 bytes"),
    ],
)
def test_wrong_seeds_and_shapes(tmp_path: Path, text: str, words: str) -> None:
    assert words in str(refused(tmp_path, text))


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "crawl.yaml"
    path.write_bytes(b"seeds: [\xff]")
    with pytest.raises(ConfigError, match="byte 8 is not UTF-8"):
        load(path, {}, {})
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "absent.yaml", {}, {})
    path.write_bytes(b"a: \x01")
    with pytest.raises(ConfigError, match=r"crawl\.yaml"):
        load(path, {}, {})


def test_an_option_is_a_usage_error_named_as_typed(tmp_path: Path) -> None:
    error = refused(tmp_path, SEED, {"pageLimit": "x"})
    assert isinstance(error, UsageError)
    assert str(error).startswith("--limit: must be a whole number")
    assert isinstance(refused(tmp_path, SEED, {"useRobots": False}), UsageError)
    assert isinstance(refused(tmp_path, SEED, {"policy": "research"}), ConfigError)


def test_an_option_may_name_the_alias_of_a_key_in_the_file(tmp_path: Path) -> None:
    assert from_text(tmp_path, SEED + "limit: 5\n", {"pageLimit": 7}).limits.page_limit == 7


def test_text_stays_text(tmp_path: Path) -> None:
    config = from_text(
        tmp_path, SEED + "lang: no\nnote: 0123\ncase: 12:30\ntags: one\ntimeLimit: 2h\nsizeLimit: 10GB\n"
    )
    assert (config.job.lang, config.job.note, config.job.case, config.job.tags) == ("no", "0123", "12:30", ("one",))
    assert (config.limits.time_limit, config.limits.size_limit) == (7200.0, 10**10)


def test_harmless_browsertrix_keys_and_empty_values_change_nothing(tmp_path: Path) -> None:
    plain = from_text(tmp_path, SEED)
    bx = SEED + "useRobots: true\nrobots: yes\ngenerateCDX: true\nsaveState: always\nscreenshot:\nexclude:\n"
    assert from_text(tmp_path, bx) == plain


def test_policy_lines(tmp_path: Path) -> None:
    config = from_text(
        tmp_path, SEED + "robots: {forbidden: disallow}\nrequisites: transclude\nonNoarchive: restricted\n"
    )
    assert config.policy.robots.forbidden == "disallow"
    assert config.policy.robots.requisites == "transclude"
    assert config.policy.signals.noarchive == "restricted"
    basis = "policy: research\nlegalBasis: DSM Art. 3\nwarcinfo: {operator: Example Library}\n"
    config = from_text(tmp_path, SEED + basis + "signals: {fetch: [/llms.txt]}\n")
    assert (config.basis.operator, config.policy.name) == ("Example Library", "research")
    assert config.policy.signals.fetch == ("/llms.txt",)


def test_users_file_holds_no_seeds(tmp_path: Path) -> None:
    user = tmp_path / ".config/archiver/config.yaml"
    user.parent.mkdir(parents=True)
    user.write_text("url: https://example.org/\n")
    assert "holds defaults, no seeds" in str(refused(tmp_path, SEED))


def test_storage_from_browsertrix_environment_and_no_secret_ever_shows(tmp_path: Path) -> None:
    config = from_text(
        tmp_path,
        SEED,
        STORE_ENDPOINT_URL="https://s3.example.org/bucket//pre/",
        STORE_PATH="/a//b/",
        STORE_ACCESS_KEY="AKSECRETID",
        STORE_SECRET_KEY="SKSECRETVALUE",
        AWS_CA_BUNDLE="/etc/ca.pem",
        AWS_EC2_METADATA_DISABLED="false",
    )
    storage = config.storage
    assert storage is not None
    assert (storage.endpoint_url, storage.bucket, storage.path) == ("https://s3.example.org", "bucket", "pre/a/b")
    assert (storage.ca_file, storage.instance_metadata) == ("/etc/ca.pem", True)
    assert storage.options()["secret_key"] == "SKSECRETVALUE"
    for shown in (repr(config), str(config), str(config.document()), f"{storage.secret_key:>10}"):
        assert "SECRET" not in shown
    other = from_text(tmp_path, SEED, STORE_ENDPOINT_URL="https://s3.example.org/bucket/pre", STORE_PATH="a/b",
                      STORE_ACCESS_KEY="other", STORE_SECRET_KEY="other", AWS_CA_BUNDLE="/etc/ca.pem",
                      AWS_EC2_METADATA_DISABLED="false")  # fmt: skip
    assert other.sha256 == config.sha256
    assert Secret("a") == Secret("a") != Secret("b")


def test_hash_names_the_configuration(tmp_path: Path) -> None:
    one, two = from_text(tmp_path, SEED), from_text(tmp_path, SEED + "note: x\n")
    assert one.sha256 == from_text(tmp_path, SEED).sha256 != two.sha256
    assert len(one.sha256) == 64


def test_warnings_are_told_and_stop_nothing(tmp_path: Path) -> None:
    config = from_text(
        tmp_path,
        SEED + "delay: 0\nparallel: 2\nallowAddresses: ['10.0.0.0/8:80']\n",
        {"storage": {"bucket": "abc", "accessKey": "a", "secretKey": "b"}},
        https_proxy="http://proxy.example",
        STORE_FILENAME="@ts.wacz",
    )
    text = "\n".join(config.warnings)
    for words in (
        "proxy variables are ignored",
        "STORE_FILENAME",
        "command line is seen",
        "delay:",
        "parallel:",
        "10.0.0.0/8",
    ):
        assert words in text
    own = from_text(tmp_path, SEED + "delay: 0\nparallel: 2\nownHosts: [example.org]\n")
    assert own.warnings == ()
