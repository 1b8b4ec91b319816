"""The configuration of a plain pywb: what YAML makes of it."""

import pytest
import yaml

from archiver.describe.pywb import config


@pytest.mark.parametrize("name", ["news", "2024", "no", "1e3", "null", "a-b_c"])
def test_any_name_stays_a_name(name: str) -> None:
    said = yaml.safe_load(config(name, "default-src 'self'; x"))
    assert list(said["collections"]) == [name]
    assert said["collections"][name]["index_paths"] == "./indexes/merged/"
    assert said["csp-header"] == "default-src 'self'; x"
    assert said["enable_auto_colls"] is False
    assert "live" not in said["collections"]
