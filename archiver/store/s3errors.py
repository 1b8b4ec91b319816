"""botocore's errors in our words: whose fault, whether another try may help, never a key or a signature."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

from archiver.clock import Clock
from archiver.errors import StoreAuthError, StoreError, StoreSetupError
from archiver.store.files import StoreRejection
from archiver.store.s3client import S3Settings

_AUTH = frozenset(
    ("InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied", "ExpiredToken", "InvalidToken", "403", "401",
     "TokenRefreshRequired", "AccountProblem", "AllAccessDisabled", "InvalidSecurity", "Unauthorized")
)  # fmt: skip
_MISSING = frozenset(("NoSuchKey", "404", "NotFound"))
_TAKEN = frozenset(("PreconditionFailed", "412"))
_PASSING = frozenset(
    ("SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable", "BadDigest", "IncompleteBody", "Throttling",
     "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch", "ConditionalRequestConflict", "OperationAborted",
     "TooManyRequests", "RequestLimitExceeded", "429", "409")
)  # fmt: skip
_BUCKET, _REGION = "storage.bucket (STORE_BUCKET)", "storage.region (STORE_REGION)"
_ENDPOINT = "storage.endpointUrl (STORE_ENDPOINT_URL)"
_KEYS = "storage.accessKey and storage.secretKey (STORE_ACCESS_KEY, STORE_SECRET_KEY)"
_TO_CORRECT = {
    "InvalidBucketName": _BUCKET, "AuthorizationHeaderMalformed": _REGION, "InvalidRegion": _REGION,
    "IllegalLocationConstraintException": _REGION, "PermanentRedirect": f"{_REGION} or {_ENDPOINT}",
}  # fmt: skip
_LONGEST = 300  # characters of what a store says
_SECRETS = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID")  # of the SDK's usual chain
_ECHOED = re.compile(r"(?i)((?:signature|credential|security-token|session-?token)\W{1,3})[^\s,;&<>\"']+")
_NOT_IMPLEMENTED = 501  # what a web server says that is no object store
_WRITES = frozenset(("put_object", "create_multipart_upload"))
_OF_ONE_FILE = {
    "EntityTooLarge": "a smaller rolloverSize makes smaller files", "413": "a smaller rolloverSize makes smaller files",
    "KeyTooLongError": "shorten storage.path (STORE_PATH) or the collection's name",
    "MetadataTooLarge": "the store wants less of it",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Fault:
    """`code` is S3's error code, or the kind of failure; `passing`: another try may help."""

    code: str
    error: StoreError
    passing: bool

    @property
    def missing(self) -> bool:
        return self.code in _MISSING

    @property
    def taken(self) -> bool:
        return self.code in _TAKEN


def fault_of(error: Exception, what: str, settings: S3Settings, clock: Clock) -> S3Fault:
    """`what` names request and key. Anything that is not botocore's (or the network's) is raised as it is."""
    from botocore import exceptions as aws

    if isinstance(error, aws.ClientError):
        return _answered(error.response, what, settings, clock)
    if isinstance(error, aws.NoCredentialsError | aws.PartialCredentialsError | aws.CredentialRetrievalError):
        message = f"no keys found; set {_KEYS}"
        return S3Fault(code="NoCredentials", error=StoreAuthError(f"{what}: {message}"), passing=False)
    if isinstance(error, aws.SSLError):
        message = (
            f"{what}: TLS to {_place(settings)} failed: {_clean(error, settings)}; a private root goes into "
            "storage.caFile (AWS_CA_BUNDLE)"
        )
        passing = "CERTIFICATE_VERIFY" not in message
        return S3Fault(code="TLS", error=(StoreError if passing else StoreSetupError)(message), passing=passing)
    if isinstance(error, aws.BotoCoreError | OSError) or type(error).__module__.startswith("urllib3"):
        passing = not isinstance(error, aws.ParamValidationError | aws.ValidationError)
        message = f"{what}: {_place(settings)}: {_clean(error, settings)}"
        kind = StoreError if passing else StoreSetupError
        return S3Fault(code=type(error).__name__, error=kind(message), passing=passing)
    if isinstance(error, RecursionError):  # botocore follows a redirect by asking, which is redirected as well
        message = f"{what}: {_place(settings)} redirects every request; correct {_TO_CORRECT['PermanentRedirect']}"
        return S3Fault(code="PermanentRedirect", error=StoreSetupError(message), passing=False)
    raise error


def _answered(response: Any, what: str, settings: S3Settings, clock: Clock) -> S3Fault:
    about, meta = response.get("Error", {}), response.get("ResponseMetadata", {})
    code, status = str(about.get("Code", "")), int(meta.get("HTTPStatusCode", 0))
    if code == "RequestTimeTooSkewed":
        skew = _skew(meta.get("HTTPHeaders", {}).get("date"), clock)
        message = f"clock skew: this machine's clock and the store's differ{skew}; set the clock (NTP)"
        return S3Fault(code=code, error=StoreSetupError(f"{what}: {message}"), passing=False)
    if code == "NoSuchBucket":
        message = f"the bucket {settings.bucket} does not exist at {_place(settings)}; create it, or correct {_BUCKET}"
        return S3Fault(code=code, error=StoreSetupError(f"{what}: {message}"), passing=False)
    said = _clean(about.get("Message") or code, settings)
    if code in _AUTH or status in (401, 403):
        message = f"{_place(settings)} refuses the key ({code}): {said}; check {_KEYS}, and what they may do"
        return S3Fault(code=code, error=StoreAuthError(f"{what}: {message}"), passing=False)
    passing = code in _PASSING or (status >= 500 and status not in (_NOT_IMPLEMENTED, 507)) or status == 200
    answer = ": ".join(word for word in (f"{status} {code}".rstrip(), said) if word)
    message = f"{what}: {_place(settings)} answered {answer}"
    if code == "NotImplemented":
        if what.partition(" ")[0] in _WRITES:
            message += "; uploads need that: `archiver bucket check` names what this store lacks"
        return S3Fault(code=code, error=StoreSetupError(message), passing=False)
    if not passing and _is_of_the_setup(code, status, what):
        message += f"; correct {_TO_CORRECT.get(code, f'{_ENDPOINT} or {_BUCKET}')}"
        return S3Fault(code=code or str(status), error=StoreSetupError(message), passing=False)
    if (help_ := _OF_ONE_FILE.get(code, _OF_ONE_FILE.get(str(status)))) is not None:
        return S3Fault(code=code, error=StoreRejection(f"{message}; {help_}"), passing=False)
    return S3Fault(code=code or str(status), error=StoreError(message), passing=passing)


def _is_of_the_setup(code: str, status: int, what: str) -> bool:
    """Whether the next file fares no better: a redirect, or a write that is refused whatever is written."""
    if code in _TO_CORRECT or 300 <= status < 400:
        return True
    write = what.partition(" ")[0] in _WRITES
    refused = 400 <= status < 500 or status == _NOT_IMPLEMENTED
    return write and refused and code not in _TAKEN and code not in _OF_ONE_FILE


def _skew(date: str | None, clock: Clock) -> str:
    try:
        seconds = (parsedate_to_datetime(date or "") - clock.now()).total_seconds()
    except (ValueError, TypeError):
        return ""
    return f" by {abs(seconds):.0f} s"


def _place(settings: S3Settings) -> str:
    return settings.endpoint_url or f"AWS S3 ({settings.region})"


def _clean(error: object, settings: S3Settings) -> str:
    """On one line, without what a server may echo of a request: keys, tokens, signatures. Cut at the very end: half a
    secret would not be known for one."""
    text = " ".join(str(error).split())
    for secret in (settings.secret_key, settings.session_token, settings.access_key, *map(os.environ.get, _SECRETS)):
        if secret:
            text = text.replace(secret, "***").replace(quote(secret, safe=""), "***")
    return _ECHOED.sub(r"\1***", text)[:_LONGEST]
