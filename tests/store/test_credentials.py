"""What another program's S3 client is told: the SDK itself reads it back."""

from pathlib import Path

import botocore.session
import pytest

from archiver.errors import StoreAuthError
from archiver.store.credentials import sdk_config, sdk_environment
from archiver.store.s3client import S3Settings

SETTINGS = S3Settings(
    bucket="b",
    endpoint_url="https://s3.example:9000",
    region="eu-1",
    access_key="AK",
    secret_key="SK",
    ca_file="/ca.pem",
)


def test_the_sdk_reads_what_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config").write_text(sdk_config(SETTINGS))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    for name, value in sdk_environment(SETTINGS).items():
        monkeypatch.setenv(name, value)
    session = botocore.session.get_session()
    found = session.get_credentials()
    assert (found.access_key, found.secret_key, found.token) == ("AK", "SK", None)
    client = session.create_client("s3", verify=False)
    assert client.meta.endpoint_url == "https://s3.example:9000"
    assert client.meta.region_name == "eu-1"
    assert session.get_config_variable("s3") == {"addressing_style": "path"}
    assert client.meta.config.request_checksum_calculation == "when_required"
    assert session.get_config_variable("ca_bundle") == "/ca.pem"


def test_keys_of_the_usual_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "CHAIN")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "SK")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "T")
    told = sdk_environment(S3Settings(bucket="b"))
    assert (told["AWS_ACCESS_KEY_ID"], told["AWS_SESSION_TOKEN"]) == ("CHAIN", "T")
    assert "AWS_ENDPOINT_URL_S3" not in told
    assert "addressing_style = auto" in sdk_config(S3Settings(bucket="b"))


def test_no_keys_are_told() -> None:
    with pytest.raises(StoreAuthError, match="no keys for b: set STORE_ACCESS_KEY"):
        sdk_environment(S3Settings(bucket="b"))


def test_no_secret_is_in_the_configuration_file() -> None:
    assert "SK" not in sdk_config(SETTINGS) and "AK" not in sdk_config(SETTINGS)
