"""Which addresses and ports may be dialled at all: the list against server-side request forgery. Pure.

Sources: IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890 and successors), and the clouds' published
metadata addresses. Anything in IPv6 outside 2000::/3 that is not an embedded IPv4 address is refused.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from archiver.errors import ConfigError
from archiver.model import Objection, Origin, Reason, Verdict

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

DEFAULT_PORTS = frozenset({80, 443})

METADATA = "cloud metadata"
LOOPBACK = "loopback"
PRIVATE = "private"

# order matters: the first range that holds an address names it
REFUSED: tuple[tuple[Network, str], ...] = tuple(
    (ip_network(network), kind)
    for kind, networks in {
        METADATA: (
            "169.254.169.254 169.254.169.253 169.254.169.250 169.254.169.251 169.254.169.249 169.254.170.2 "
            "169.254.170.23 169.254.0.23 169.254.42.42 100.100.100.200 168.63.129.16 192.0.0.192 fd00:ec2::/32 "
            "fd20:ce::254 fd00:42::42 fd00:c1::/32 fe80::a9fe:a9fe"
        ),
        LOOPBACK: "127.0.0.0/8 ::1",
        PRIVATE: "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7",
        "this network (RFC 1122)": "0.0.0.0/8 ::",
        "shared by a carrier's NAT (RFC 6598)": "100.64.0.0/10",
        "link-local": "169.254.0.0/16 fe80::/10",
        "site-local (RFC 3879)": "fec0::/10",
        "protocol assignments (RFC 6890)": "192.0.0.0/24 2001::/23",
        "documentation": "192.0.2.0/24 198.51.100.0/24 203.0.113.0/24 2001:db8::/32 3fff::/20",
        "6to4 relays (RFC 7526)": "192.88.99.0/24",
        "benchmarking (RFC 2544)": "198.18.0.0/15",
        "multicast": "224.0.0.0/4 ff00::/8",
        "reserved": "240.0.0.0/4",
        "IPv4-compatible (RFC 4291)": "::/96",
        "local translation (RFC 8215)": "64:ff9b:1::/48",
        "discard (RFC 6666, RFC 9780)": "100::/64 100:0:0:1::/64",
        "segment routing (RFC 9602)": "5f00::/16",
    }.items()
    for network in networks.split()
)

# names that lead to metadata services or to this machine, whatever a resolver says
_METADATA_NAMES = frozenset(
    {"metadata", "metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal"}
)

_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
_TRANSLATED = IPv6Network("::ffff:0:0:0/96")  # SIIT (RFC 2765)
_COMPATIBLE = IPv6Network("::/96")
_ODD_NUMBER = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+")


def parse_address(text: str) -> Address | None:
    """An IP from its text, zone cut off; old spellings too (`2130706433`, `0x7f.1`, `0177.0.0.1`). None = a name."""
    text = text.strip("[]").partition("%")[0]
    try:
        return ip_address(text)
    except ValueError:
        return _old_ipv4(text)


def _old_ipv4(text: str) -> IPv4Address | None:
    """What inet_aton reads: one to four numbers, decimal, octal or hex, the last one filling the rest."""
    parts = text.rstrip(".").split(".")
    if not 1 <= len(parts) <= 4 or not all(_ODD_NUMBER.fullmatch(part) and part.isascii() for part in parts):
        return None
    try:
        numbers = [_number(part) for part in parts]
    except ValueError:
        return None
    *high, last = numbers
    if any(number > 255 for number in high) or last >= 256 ** (4 - len(high)):
        return None
    return IPv4Address(last + sum(number << (24 - 8 * place) for place, number in enumerate(high)))


def _number(part: str) -> int:
    if part[:2] in ("0x", "0X"):
        return int(part[2:] or "0", 16)
    return int(part, 8) if len(part) > 1 and part[0] == "0" else int(part)


def unwrap(address: Address) -> Iterator[Address]:
    """The address and every IPv4 address that a tunnel or translator would take out of it."""
    yield address
    if isinstance(address, IPv4Address):
        return
    value = int(address)
    low = IPv4Address(value & 0xFFFFFFFF)
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    elif address in _NAT64 or address in _TRANSLATED or (address in _COMPATIBLE and value > 1):
        yield low
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if (value >> 32) & 0xFCFFFFFF == 0x5EFE:  # ISATAP interface identifier (RFC 5214, 6.1)
        yield low


def classify(address: Address) -> str | None:
    """Why an address (without unwrapping) is refused, None = it is an ordinary public one."""
    for network, kind in REFUSED:
        if address.version == network.version and address in network:
            return kind
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        embedded = address.ipv4_mapped is not None or address in _NAT64 or address in _TRANSLATED
        return None if embedded else "not global unicast"
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowEntry:
    """One `HOST:PORT`. Exactly one of `name`, `network`; `port` None = any (`*`)."""

    text: str
    port: int | None
    name: str | None = None
    network: Network | None = None


@dataclass(frozen=True, slots=True)
class AllowList:
    """What `--allow-address` and `allowAddresses` say (decision 20)."""

    entries: tuple[AllowEntry, ...] = ()

    @classmethod
    def parse(cls, texts: Sequence[str]) -> AllowList:
        """`name:port`, `ip:port`, `cidr:port`, `[ipv6]:port`, `[ipv6/len]:port`; `*` = any port. Raises ConfigError."""
        return cls(tuple(_parse_entry(text) for text in texts))

    def covers_name(self, host: str, port: int) -> bool:
        """Whether an entry names this host (not its address)."""
        host = _plain(host)
        return any(e.name is not None and e.name == host and e.port in (None, port) for e in self.entries)

    def covers_ip(self, address: Address, port: int) -> bool:
        for entry in self.entries:
            network = entry.network
            if network is None or entry.port not in (None, port) or network.version != address.version:
                continue
            if address in network:
                return True
        return False

    def lifts_port(self, port: int) -> bool:
        """Whether any entry speaks of this port: without one a look-up would be for nothing."""
        return any(entry.port in (None, port) for entry in self.entries)


def _plain(host: str) -> str:
    return host.lower().rstrip(".")


def _parse_entry(text: str) -> AllowEntry:
    host, colon, port_text = text.strip().rpartition(":")
    if not colon or not host or "//" in text or "@" in text:
        raise _bad(text, "write HOST:PORT, for example 127.0.0.1:8080, intranet.example:443 or [::1]:80")
    bracketed = host.startswith("[") and host.endswith("]")
    if ":" in host and not bracketed:
        raise _bad(text, "put an IPv6 address in brackets: [::1]:80")
    port = _parse_port(text, port_text)
    host = host.strip("[]")
    network = _parse_network(text, host)
    if network is not None:
        return AllowEntry(text=text, port=port, network=network)
    if bracketed or not re.fullmatch(r"(?!-)[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?", host):
        raise _bad(text, "HOST is a name (international ones as xn--...), an IP or a CIDR range; no wildcards")
    return AllowEntry(text=text, port=port, name=_plain(host))


def _parse_port(text: str, port: str) -> int | None:
    if port == "*":
        return None
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise _bad(text, "PORT is a number from 1 to 65535, or * for any")
    return int(port)


def _parse_network(text: str, host: str) -> Network | None:
    """The network an entry means, None when it is a name. Host bits set, or a metadata address alone, are errors."""
    try:
        network = ip_network(host)
    except ValueError as exc:
        if "/" in host:
            raise _bad(text, f"{exc}") from exc
        if _old_ipv4(host) is not None:
            raise _bad(text, f"write the address as {_old_ipv4(host)}") from exc
        return None
    if network.num_addresses == 1 and any(classify(inner) == METADATA for inner in unwrap(network[0])):
        raise _bad(text, "a cloud metadata address can never be allowed; leave it out")
    return network


def _bad(text: str, fix: str) -> ConfigError:
    return ConfigError(f"allowAddresses / --allow-address {text!r}: {fix}")


def check(
    origin: Origin, address: str, allow: AllowList, *, ports: Collection[int] = DEFAULT_PORTS
) -> Objection | None:
    """What speaks against dialling `address` for `origin`; None = nothing.

    A name in the list covers loopback and private addresses, an IP or range covers whatever it holds; either lifts the
    port list for its pair. Metadata addresses are refused whatever the list says.
    """
    parsed = parse_address(address)
    if parsed is None:
        return _refuse(Reason.PRIVATE_ADDRESS, f"{address!r} is not an IP address")
    if _plain(origin.host) in _METADATA_NAMES:
        return _refuse(Reason.PRIVATE_ADDRESS, f"{origin.host}: {METADATA}")
    named = allow.covers_name(origin.host, origin.port)
    lifted = named or any(allow.covers_ip(inner, origin.port) for inner in unwrap(parsed))
    for inner in unwrap(parsed):
        kind = classify(inner)
        if kind is None or (kind != METADATA and _is_lifted(inner, kind, origin.port, allow, named=named)):
            continue
        through = "" if inner == parsed else f", inside {parsed}"
        return _refuse(Reason.PRIVATE_ADDRESS, f"{inner}: {kind}{through}")
    if origin.port not in ports and not lifted:
        return _refuse(Reason.BAD_PORT, f"port {origin.port} is not one of {', '.join(map(str, sorted(ports)))}")
    return None


def _is_lifted(address: Address, kind: str, port: int, allow: AllowList, *, named: bool) -> bool:
    return (named and kind in (LOOPBACK, PRIVATE)) or allow.covers_ip(address, port)


def check_before_lookup(
    origin: Origin, allow: AllowList, *, ports: Collection[int] = DEFAULT_PORTS
) -> Objection | None:
    """What can be said of a host without asking a resolver: forbidden names, ports that nothing lifts, literals."""
    if _plain(origin.host) in _METADATA_NAMES:
        return _refuse(Reason.PRIVATE_ADDRESS, f"{origin.host}: {METADATA}")
    if parse_address(origin.host) is not None:
        return check(origin, origin.host, allow, ports=ports)
    if origin.port not in ports and not allow.lifts_port(origin.port) and not is_local_name(origin.host):
        return _refuse(Reason.BAD_PORT, f"port {origin.port} is not one of {', '.join(map(str, sorted(ports)))}")
    return None


def is_local_name(host: str) -> bool:
    """`localhost` and all below it are this machine, without a look-up (RFC 6761, 6.3)."""
    host = _plain(host)
    return host == "localhost" or host.endswith(".localhost")


LOCAL_ADDRESSES = ("127.0.0.1", "::1")


def is_named(origin: Origin, allow: AllowList) -> bool:
    """Whether the operator named this origin: only there may the delay be 0 and visits run side by side (decision 13).

    By name, or by address where the host is a literal or a localhost name; a name that merely resolves into an
    allowed range is not the operator's own.
    """
    if allow.covers_name(origin.host, origin.port):
        return True
    literal = parse_address(origin.host)
    if literal is not None:
        return allow.covers_ip(literal, origin.port)
    return is_local_name(origin.host) and any(
        allow.covers_ip(ip_address(address), origin.port) for address in LOCAL_ADDRESSES
    )


def _refuse(reason: Reason, rule: str) -> Objection:
    return Objection(verdict=Verdict.REFUSE, reason=reason, rule=rule)
