"""botocore's errors in our words: whose fault, whether another try may help, never a key or a signature."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from archiver.clock import Clock
from archiver.errors import StoreAuthError, StoreError
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
        message = "no keys found; set STORE_ACCESS_KEY and STORE_SECRET_KEY"
        return S3Fault(code="NoCredentials", error=StoreAuthError(f"{what}: {message}"), passing=False)
    if isinstance(error, aws.SSLError):
        message = f"TLS to {_place(settings)} failed: {_clean(error, settings)}; a private root goes into AWS_CA_BUNDLE"
        return S3Fault(code="TLS", error=StoreError(f"{what}: {message}"), passing="CERTIFICATE_VERIFY" not in message)
    if isinstance(error, aws.BotoCoreError | OSError) or type(error).__module__.startswith("urllib3"):
        passing = not isinstance(error, aws.ParamValidationError | aws.ValidationError)
        message = f"{_place(settings)}: {_clean(error, settings)}"
        return S3Fault(code=type(error).__name__, error=StoreError(f"{what}: {message}"), passing=passing)
    raise error


def _answered(response: Any, what: str, settings: S3Settings, clock: Clock) -> S3Fault:
    about, meta = response.get("Error", {}), response.get("ResponseMetadata", {})
    code, status = str(about.get("Code", "")), int(meta.get("HTTPStatusCode", 0))
    if code == "RequestTimeTooSkewed":
        skew = _skew(meta.get("HTTPHeaders", {}).get("date"), clock)
        message = f"clock skew: this machine's clock and the store's differ{skew}; set the clock (NTP)"
        return S3Fault(code=code, error=StoreError(f"{what}: {message}"), passing=False)
    if code == "NoSuchBucket":
        message = f"the bucket {settings.bucket} does not exist at {_place(settings)}; create it, or correct the name"
        return S3Fault(code=code, error=StoreError(f"{what}: {message}"), passing=False)
    said = _clean(about.get("Message") or code, settings)
    if code in _AUTH or status in (401, 403):
        message = f"{_place(settings)} refuses the key ({code}): {said}"
        return S3Fault(code=code, error=StoreAuthError(f"{what}: {message}"), passing=False)
    passing = code in _PASSING or (status >= 500 and status not in (501, 507)) or status == 200
    message = f"{_place(settings)} answered {status} {code}: {said}"
    return S3Fault(code=code or str(status), error=StoreError(f"{what}: {message}"), passing=passing)


def _skew(date: str | None, clock: Clock) -> str:
    try:
        seconds = (parsedate_to_datetime(date or "") - clock.now()).total_seconds()
    except (ValueError, TypeError):
        return ""
    return f" by {abs(seconds):.0f} s"


def _place(settings: S3Settings) -> str:
    return settings.endpoint_url or f"AWS S3 ({settings.region})"


def _clean(error: object, settings: S3Settings) -> str:
    text = " ".join(str(error).split())[:300]
    for secret in (settings.secret_key, settings.session_token, settings.access_key):
        if secret:
            text = text.replace(secret, "***")
    return text
