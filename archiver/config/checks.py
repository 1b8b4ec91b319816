"""Rules over several keys: what must not stand together, what needs a ground, and what the user should be told."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from urllib.parse import urlsplit

from archiver.config.model import Config, Seed
from archiver.config.special import is_loopback, read_bucket, read_prefix
from archiver.config.storage import Storage
from archiver.errors import ConfigError
from archiver.model import Origin
from archiver.policy.address import AllowList, is_named
from archiver.urls import origin_of

_MOST_FILES = 10


def check(config: Config) -> Config:
    """The configuration, storage resolved to one bucket. Raises ConfigError at the first rule that is broken."""
    loosened = config.policy.loosened
    if loosened and not (config.basis.legal_basis and config.basis.operator):
        raise ConfigError(
            f"policy: {config.policy.name} loosens {', '.join(loosened)}; that needs legalBasis (the ground, in words) "
            "and operator (who answers for it)"
        )
    consenting = [host for host, action in config.browsing.consent_for if action == "accept"]
    if consenting and not (config.basis.legal_basis and config.basis.operator):
        raise ConfigError(
            f"consentFor: accept for {', '.join(consenting)} needs legalBasis (who may consent there, and why) "
            "and operator"
        )
    problem = config.identity.problem()
    if problem:
        raise ConfigError(f"userAgent: {problem}")
    for name, message in _numbers(config):
        raise ConfigError(f"{name}: {message}")
    return replace(config, storage=_resolved(config.storage)) if config.storage else config


def _numbers(config: Config) -> Iterator[tuple[str, str]]:
    limits, times = config.limits, config.timeouts
    named = {
        "visitTimeout": limits.visit_timeout, "maxVisitSeconds": limits.max_visit_seconds,
        "rolloverSize": limits.rollover_size, "rolloverSeconds": limits.rollover_seconds,
        "maxBodySize": limits.max_body_size, "visitSpool": limits.visit_spool,
        "connectTimeout": times.connect, "idleTimeout": times.idle, "requestTimeout": times.total,
        "robotsTimeout": times.robots, "behaviorTimeout": config.browsing.behavior_timeout,
    }  # fmt: skip
    for name, value in named.items():
        if value <= 0:
            yield name, "must be more than 0: without it nothing would ever end"
    if limits.max_visit_seconds < limits.visit_timeout:
        yield "maxVisitSeconds", f"must be at least visitTimeout ({limits.visit_timeout:g} s)"
    if len(config.policy.signals.fetch) > _MOST_FILES:
        yield "signals.fetch", f"at most {_MOST_FILES} files: they are asked of every seed's site"
    if config.storage and not 5 << 20 <= config.storage.part_size <= 512 << 20:
        yield "storage.partSize", "must be from 5 MiB (S3's own bound) to 512 MiB"
    if config.storage and config.storage.sse_kms_key_id and config.storage.sse != "aws:kms":
        yield "storage.sseKmsKeyId", "goes with sse: aws:kms; set that, or leave the key out"


def _resolved(storage: Storage) -> Storage:
    """Bucket and prefix out of the endpoint's path, as Browsertrix writes it (`https://HOST/BUCKET/PREFIX`)."""
    parts = urlsplit(storage.endpoint_url)
    first, _, rest = parts.path.strip("/").partition("/")
    inside = [part for part in ((rest if not storage.bucket else parts.path.strip("/")), storage.path) if part]
    try:
        prefix = read_prefix("/".join(inside))
        bucket = storage.bucket or (read_bucket(first) if first else "")
    except ValueError as error:
        raise ConfigError(f"storage.endpointUrl: {error}") from None
    if not bucket:
        raise ConfigError("storage.bucket: not given; set STORE_BUCKET or write it as https://HOST/BUCKET")
    if bool(storage.access_key) != bool(storage.secret_key):
        raise ConfigError("storage: accessKey and secretKey belong together; one is missing")
    bare = f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
    return replace(storage, endpoint_url=bare, bucket=bucket, path=prefix)


def contact_needed(config: Config) -> bool:
    """Whether the run may not start without a contact: some seed is not on this very machine."""
    return not config.identity.contact and not all(is_loopback(origin_of(seed.url).host) for seed in config.seeds)


def is_own(config: Config, host: str, port: int) -> bool:
    """Whether `delay` under 1 s and `parallel` hold for a host: the operator named it as allowed or as their own."""
    network = config.network
    named = is_named(Origin("http", host, port), _allow_list(network.allow_addresses))
    return named or any(_matches(own, host) for own in network.own_hosts)


@lru_cache(maxsize=16)
def _allow_list(addresses: tuple[str, ...]) -> AllowList:
    return AllowList.parse(addresses)


def _matches(named: str, host: str) -> bool:
    named, host = named.strip("[]"), host.strip("[]").rstrip(".").lower()
    if named == host:
        return True
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(named)
    except ValueError:
        return False


def warnings_for(config: Config) -> tuple[str, ...]:
    """Sentences for the user; none of them stops the run."""
    found: list[str] = []
    strangers = [seed.url for seed in config.seeds if not _is_own_seed(seed, config)]
    if strangers and config.pace.delay < 1.0:
        found.append(f"delay: {config.pace.delay:g} s holds for allowAddresses and ownHosts only; elsewhere it is 1 s")
    if strangers and config.pace.parallel > 1:
        found.append("parallel: holds for allowAddresses and ownHosts only; elsewhere one visit at a time")
    if config.policy.robots.disallowed == "mandate" and not config.policy.robots.mandate:
        found.append("robots.mandate: is empty, so robots.txt is obeyed everywhere")
    wide = [one for one in config.network.allow_addresses if "/" in one]
    if wide:
        found.append(f"allowAddresses: {', '.join(wide)} opens a whole network to whatever a page links to")
    return tuple(found)


def _is_own_seed(seed: Seed, config: Config) -> bool:
    origin = origin_of(seed.url)
    return is_own(config, origin.host, origin.port)
