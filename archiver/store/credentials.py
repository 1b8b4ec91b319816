"""The store as another program's S3 client is told of it: environment variables and a configuration file of the SDK."""

from __future__ import annotations

from typing import Any

from archiver.errors import StoreAuthError
from archiver.store.s3client import S3Settings


def sdk_environment(settings: S3Settings) -> dict[str, str]:
    """AWS_* variables, secrets among them: for a child process's environment and nothing else.

    Keys of the SDK's usual chain are looked up now; those that expire do so in the child. Raises StoreAuthError when
    there are none.
    """
    access, secret, token = _keys(settings)
    said = {
        "AWS_ACCESS_KEY_ID": access,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_SESSION_TOKEN": token,
        "AWS_DEFAULT_REGION": settings.region,
        "AWS_ENDPOINT_URL_S3": settings.endpoint_url,
        "AWS_CA_BUNDLE": settings.ca_file,
    }
    return {name: value for name, value in said.items() if value}


def sdk_config(settings: S3Settings) -> str:
    """The content of AWS_CONFIG_FILE, without secrets: what `s3client` sets for our own client."""
    style = "path" if settings.endpoint_url else "auto"
    return (
        "[default]\n"
        f"s3 =\n  addressing_style = {style}\n"
        "request_checksum_calculation = when_required\nresponse_checksum_validation = when_required\n"
    )


def _keys(settings: S3Settings) -> tuple[str, str, str]:
    if settings.access_key:
        return settings.access_key, settings.secret_key, settings.session_token
    import botocore.session
    from botocore.exceptions import BotoCoreError

    core: Any = botocore.session.get_session()
    if not settings.instance_metadata:
        core.get_component("credential_provider").remove("iam-role")
    try:
        found = core.get_credentials()
        frozen = None if found is None else found.get_frozen_credentials()
    except BotoCoreError as error:
        raise StoreAuthError(f"no usable keys for {settings.bucket}: {error}") from error
    if frozen is None:
        raise StoreAuthError(f"no keys for {settings.bucket}: set STORE_ACCESS_KEY and STORE_SECRET_KEY")
    return frozen.access_key, frozen.secret_key, frozen.token or ""
