"""What a store echoes of a request is not shown, whole or in part."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from archiver.clock import SYSTEM
from archiver.store import S3Settings
from archiver.store.s3errors import fault_of

SIGNED = "AWS4-HMAC-SHA256 Credential=AKECHO/20261123/us-east-1/s3/aws4_request, Signature=0123456789abcdef"


def said(message: str, **more: str) -> str:
    answer = {"Error": {"Code": "AccessDenied", "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 403}}
    settings = S3Settings(bucket="bucket", endpoint_url="https://s3.test", **more)
    return str(fault_of(ClientError(answer, "PutObject"), "put_object key", settings, SYSTEM).error)  # type: ignore[arg-type]


def test_signature_and_credential_are_not_repeated() -> None:
    text = said(f"no: {SIGNED}; <X-Amz-Security-Token>swordfish</X-Amz-Security-Token> X-Amz-Signature=fedcba98")
    assert "refuses the key (AccessDenied): no" in text
    assert not any(secret in text for secret in ("AKECHO", "0123456789", "swordfish", "fedcba98"))


@pytest.mark.parametrize("before", [0, 295])
def test_half_a_secret_is_none(before: int) -> None:
    assert "swordfish" not in said("x" * before + "swordfish-and-more", secret_key="swordfish-and-more")


def test_keys_of_the_usual_chain_are_known_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "sword/fish")
    assert "sword" not in said("token sword/fish, or sword%2Ffish")
