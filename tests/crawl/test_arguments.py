"""`-a KEY=VALUE` as configuration."""

from __future__ import annotations

import pytest

from archiver.crawl.arguments import config_of, options_of
from archiver.errors import ConfigError, UsageError

LOCAL = {"url": "http://127.0.0.1/ http://127.0.0.1/two"}


def test_keys_of_the_config_file_are_arguments() -> None:
    given = {
        **LOCAL, "pageLimit": "7", "delay": "2.5", "exclude": "a{1,2}b", "tags": "one, two", "scopeType": "host",
        "allowAddresses": "127.0.0.1:1,127.0.0.1:2", "title": "2024", "warcinfo": '{"publisher": "me"}',
    }  # fmt: skip
    config = config_of(given, {}, {})
    assert [seed.url for seed in config.seeds] == ["http://127.0.0.1/", "http://127.0.0.1/two"]
    assert config.seeds[0].exclude == ("a{1,2}b",) and config.seeds[0].scope_type == "host"
    assert (config.limits.page_limit, config.pace.delay, config.job.title) == (7, 2.5, "2024")
    assert config.network.allow_addresses == ("127.0.0.1:1", "127.0.0.1:2")
    assert config.job.tags == ("one", "two") and config.warcinfo.publisher == "me"


def test_lists_may_be_json() -> None:
    assert options_of({"exclude": '["a,b", "c"]'}) == {"exclude": ["a,b", "c"]}


def test_arguments_beat_the_setting_and_a_spiders_scope_is_the_last_word_of_all() -> None:
    config = config_of({**LOCAL, "delay": "3"}, {"delay": 9, "collection": "shop"}, {}, scope_type="page")
    assert (config.pace.delay, config.job.collection) == (3.0, "shop")
    assert config.seeds[0].scope_type == "page"
    assert config_of({**LOCAL, "scopeType": "any"}, {}, {}, scope_type="page").seeds[0].scope_type == "any"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({**LOCAL, "pageLimit": "x"}, "^-a pageLimit: must be a whole number"),
        ({**LOCAL, "override": "robots"}, "^-a override: overrides are for one URL"),
        ({**LOCAL, "delai": "1"}, "^-a delai: unknown key; did you mean delay"),
        ({**LOCAL, "exclude": "(?=x)"}, "^-a exclude: "),
        ({**LOCAL, "allowAddresses": "nothing"}, "^-a allowAddresses: "),
        ({"url": "https://example.org/"}, "-a contact="),
        ({}, "-a url=URL or -a config=FILE"),
    ],
)
def test_a_refused_argument_is_named_as_it_was_given(arguments: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        config_of(arguments, {}, {})


def test_a_policy_without_its_ground_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match="legalBasis"):
        config_of({**LOCAL, "policy": "research"}, {}, {})
