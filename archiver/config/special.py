"""Kinds that one key alone uses."""

from __future__ import annotations

import re
import unicodedata
import zoneinfo
from datetime import date, datetime
from urllib.parse import urlsplit

from archiver.config.kinds import read_flag, read_host, read_int, read_text, shown
from archiver.config.schema import Kind
from archiver.config.secret import Secret
from archiver.errors import UsageError
from archiver.urls import seed_url

_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
CONSENT_ACTIONS = ("reject", "leave", "hide", "accept")
_SITE_PATH = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)+")
_MOST_TAGS = 10
_REGION = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


def read_language(value: object) -> str:
    """A BCP 47 tag by shape."""
    text = read_text(value)
    if not _LANGUAGE.fullmatch(text):
        raise ValueError(f"must be a language tag such as en or de-AT, not {shown(value)}")
    return text


def read_timezone(value: object) -> str:
    text = read_text(value)
    try:
        zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"must be a time zone such as UTC or Europe/Vienna, not {shown(value)}") from None
    return text


def read_viewport(value: object) -> str:
    """`1280x1024`: width and height in CSS pixels."""
    text = read_text(value)
    found = re.fullmatch(r"([1-9][0-9]{1,4})x([1-9][0-9]{1,4})", text)
    if found is None or not (240 <= int(found[1]) <= 7680 and 240 <= int(found[2]) <= 7680):
        raise ValueError(f"must be width x height such as 1280x1024, each from 240 to 7680, not {shown(value)}")
    return text


def read_site_consent(value: object) -> tuple[str, str]:
    """`www.example.org: leave`, as a mapping of one entry or as text: a host, and what to do with its notices."""
    if isinstance(value, dict):
        if len(value) != 1:
            raise ValueError("must be one host: action a line")
        host, action = next(iter(value.items()))
    else:
        host, _, action = read_text(value).partition(":")
    action = read_text(action)
    if action not in CONSENT_ACTIONS:
        raise ValueError(f"must be host: {', '.join(CONSENT_ACTIONS)}, not {shown(value)}")
    return read_host(host), action


def read_prefix(value: object) -> str:
    """An S3 key prefix, normalised once: NFC, no leading, trailing or double slash, never `.` or `..`."""
    parts = [part for part in unicodedata.normalize("NFC", read_text(value, limit=500)).split("/") if part]
    if any(part in (".", "..") for part in parts) or any("\\" in part for part in parts):
        raise ValueError("must not hold '.', '..' or a backslash")
    return "/".join(parts)


def read_private(value: object) -> str:
    """A prefix that nobody who publishes `collections/*` publishes with it."""
    text = read_prefix(value)
    if not text or text.split("/")[0] == "collections":
        raise ValueError("must be a prefix of its own, such as private, and not below collections")
    return text


def read_site_path(value: object) -> str:
    """`/llms.txt`: the absolute path of one file, as it goes over the wire."""
    text = read_text(value, limit=200)
    if not _SITE_PATH.fullmatch(text) or any(part in (".", "..") for part in text.split("/")):
        raise ValueError(f"must be an absolute path such as /llms.txt, without query, not {shown(value)}")
    if text == "/robots.txt":
        raise ValueError("/robots.txt is asked for in any case")
    return text


def read_endpoint(value: object) -> str:
    """`https://host[:port][/bucket[/prefix]]`; http only for loopback, where nobody listens in."""
    text = read_text(value, limit=500)
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("is not a valid URL") from None
    if parts.scheme not in ("https", "http") or not host:
        raise ValueError("must be a URL such as https://s3.example.org/bucket")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("must not hold a user name, a password, a query or a fragment")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError("is http:// to another machine: keys and captures would cross the network openly; use https")
    return text.rstrip("/")


def read_tags(value: object) -> tuple[tuple[str, str], ...]:
    """`project: news`: S3 object tags. At most 10; names up to 128 characters, values up to 256 (S3's own bounds)."""
    if not isinstance(value, dict):
        raise ValueError(f"must be a mapping such as project: news, not {shown(value)}")
    found = tuple((read_text(name, limit=128), read_text(text, limit=256)) for name, text in value.items())
    if len(found) > _MOST_TAGS or any(not name or name.startswith("aws:") for name, _ in found):
        raise ValueError(f"must be at most {_MOST_TAGS} tags with names that do not begin with aws:")
    return found


def read_bucket(value: object) -> str:
    text = read_text(value)
    if not _BUCKET.fullmatch(text) or ".." in text or re.fullmatch(r"[0-9.]+", text):
        raise ValueError(f"{shown(value)} is no bucket name: 3 to 63 of a-z, 0-9, - and .")
    return text


def read_region(value: object) -> str:
    text = read_text(value)
    if not _REGION.fullmatch(text):
        raise ValueError(f"{shown(value)} is no region name: a-z, 0-9 and -")
    return text


def read_secret(value: object) -> Secret:
    """Text of visible ASCII; messages never show it."""
    if not isinstance(value, str):
        raise ValueError("must be a text in quotes")
    if not value.isascii() or any(not "!" <= char <= "~" for char in value) or len(value) > 4096:
        raise ValueError("must be visible ASCII without spaces")
    return Secret(value)


def is_loopback(host: str) -> bool:
    """Whether a host, as written, can only be this machine."""
    bare = host.strip("[]").rstrip(".").lower()
    return bare == "localhost" or bare.endswith(".localhost") or bare == "::1" or bool(
        re.fullmatch(r"127\.\d{1,3}\.\d{1,3}\.\d{1,3}(/(8|9|[12]\d|3[0-2]))?", bare)
    )  # fmt: skip


def read_sitemap(value: object) -> str:
    """`detect` for true, "" for false, else the sitemap's URL."""
    try:
        return "detect" if read_flag(value) else ""
    except ValueError:
        pass
    text = read_text(value, limit=4096)
    if text in ("", "detect"):
        return text
    if not text.startswith(("http://", "https://")):
        raise ValueError(f"must be true, false or the URL of a sitemap, not {shown(value)}")
    try:
        return seed_url(text)
    except UsageError as error:
        raise ValueError(f"must be true, false or the URL of a sitemap: {error}") from None


def read_date(value: object) -> str:
    """A date as ISO text; YAML's own dates too."""
    text = value.isoformat() if isinstance(value, date) else read_text(value, limit=40)
    if not text:
        return ""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"must be a date such as 2026-11-23 or 2026-11-23T12:00:00Z, not {shown(value)}") from None
    return text


DEPTH = Kind("whole number or -1", lambda value: read_int(value, low=-1, high=1_000_000))
LANGUAGE = Kind("language tag", read_language)
TIMEZONE = Kind("time zone", read_timezone)
VIEWPORT = Kind("width x height", read_viewport)
SITE_CONSENT = Kind("host: action", read_site_consent)
PREFIX = Kind("key prefix", read_prefix)
PRIVATE = Kind("key prefix", read_private)
SITEMAP = Kind("true | false | URL", read_sitemap)
DATE = Kind("date", read_date)
SITE_PATH = Kind("path", read_site_path)
ENDPOINT = Kind("https URL", read_endpoint)
BUCKET = Kind("bucket name", read_bucket)
TAGS = Kind("mapping of text", read_tags)
REGION = Kind("region", read_region)
SECRET = Kind("secret", read_secret)
