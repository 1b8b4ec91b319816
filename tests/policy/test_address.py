"""Every range, every disguise, and what an allow-list entry lifts."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.errors import ConfigError
from archiver.model import Origin, Reason, Verdict
from archiver.policy.address import (
    REFUSED,
    AllowList,
    check,
    check_before_lookup,
    classify,
    is_named,
    parse_address,
    unwrap,
)

SITE = Origin("https", "example.org", 443)
NONE = AllowList()

_REFUSED = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.254 169.254.0.1 172.16.0.1
172.31.255.255 192.0.0.1 192.0.0.192 192.0.2.1 192.88.99.1 192.168.0.1 192.168.255.255 198.18.0.1 198.19.255.255
198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
169.254.169.254 169.254.170.2 100.100.100.200 168.63.129.16 fd00:ec2::254 fe80::a9fe:a9fe fd20:ce::254
:: ::1 ::2 ::127.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:7f00:1 ::ffff:10.1.2.3 ::ffff:169.254.169.254
::ffff:0:127.0.0.1 64:ff9b::7f00:1 64:ff9b::10.0.0.1 64:ff9b::a9fe:a9fe 64:ff9b:1::1 64:ff9b:1:fffe::808:808
100::1 100:0:0:1::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:2::1 2001:10::1 2001:db8::1 3fff::1 5f00::1
2002:7f00:1:: 2002:a00:1::1 2002:a9fe:a9fe:: 2002:c0a8:101::1 2606:4700::5efe:7f00:1 2606:4700::200:5efe:c0a8:101
fc00::1 fd12:3456::1 fe80::1 fe80::1%eth0 febf::1 fec0::1 ff02::1 4000::1 8000::1 e000::1 1::1
0177.0.0.1 2130706433 0x7f000001 0x7f.1 127.1 0 017700000001 [::1] 127.0.0.1.
"""

_PUBLIC = """
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.1 93.184.216.34 100.63.255.255 100.128.0.1 126.255.255.255 128.0.0.1 172.15.255.255
172.32.0.1 192.0.1.1 192.169.0.1 198.17.255.255 198.20.0.1 223.255.255.255 168.63.129.15
2001:200::1 2001:4860:4860::8888 2606:4700:4700::1111 2a00:1450::1 2002:808:808::1 ::ffff:8.8.8.8 64:ff9b::808:808
"""


@pytest.mark.parametrize("address", _REFUSED.split())
def test_addresses_that_are_never_a_site(address: str) -> None:
    objection = check(SITE, address, NONE)
    assert objection is not None
    assert (objection.verdict, objection.reason) == (Verdict.REFUSE, Reason.PRIVATE_ADDRESS)
    assert objection.rule


@pytest.mark.parametrize("address", _PUBLIC.split())
def test_public_addresses(address: str) -> None:
    assert check(SITE, address, NONE) is None


@pytest.mark.parametrize(
    "address", ["", "example.org", "1.2.3.4.5", "256.1.1.1", "08.1.1.1", "0x", "1..2", "::g", "1e3"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    assert address == "0x" or parse_address(address) is None
    assert check(SITE, address, NONE) is not None


def test_the_rule_says_what_is_inside() -> None:
    objection = check(SITE, "64:ff9b::a9fe:a9fe", NONE)
    assert objection is not None
    assert objection.rule == "169.254.169.254: cloud metadata, inside 64:ff9b::a9fe:a9fe"


@given(st.integers(0, 2**32 - 1))
def test_wrapping_an_ipv4_address_never_helps(value: int) -> None:
    plain = IPv4Address(value)
    forms = [0xFFFF << 32 | value, int(IPv6Address("64:ff9b::")) | value, 0x2002 << 112 | value << 80 | 1]
    if check(SITE, str(plain), NONE) is not None:
        for form in forms:
            assert check(SITE, str(IPv6Address(form)), NONE) is not None
    assert parse_address(str(value)) == parse_address(hex(value)) == parse_address(f"0{value:o}") == plain


@given(st.integers(0, 2**128 - 1))
def test_only_global_unicast_is_dialled(value: int) -> None:
    address = IPv6Address(value)
    if check(SITE, str(address), NONE) is None:
        assert all(classify(inner) is None for inner in unwrap(address))
        assert value >> 125 == 1 or address.ipv4_mapped or len(list(unwrap(address))) > 1


def test_every_range_is_hit_at_both_ends() -> None:
    for network, _ in REFUSED:
        for end in (network[0], network[-1]):
            assert check(SITE, str(end), NONE) is not None, end


# --- ports ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("port", [0, 1, 22, 25, 6379, 8080, 65535])
def test_ports_off_the_list(port: int) -> None:
    objection = check(Origin("http", "example.org", port), "93.184.216.34", NONE)
    assert objection is not None and objection.reason is Reason.BAD_PORT


def test_configured_ports() -> None:
    assert check(Origin("http", "example.org", 8080), "93.184.216.34", NONE, ports={80, 443, 8080}) is None


def test_an_entry_lifts_the_port_of_its_pair_only() -> None:
    allow = AllowList.parse(["example.org:8443", "93.184.216.0/24:9000"])
    assert check(Origin("https", "example.org", 8443), "1.1.1.1", allow) is None
    assert check(Origin("https", "other.org", 8443), "1.1.1.1", allow) is not None
    assert check(Origin("https", "other.org", 9000), "93.184.216.34", allow) is None
    assert check(Origin("https", "other.org", 9001), "93.184.216.34", allow) is not None


# --- the allow list ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "host", "port", "address", "allowed"),
    [
        ("127.0.0.1:8080", "127.0.0.1", 8080, "127.0.0.1", True),
        ("127.0.0.1:8080", "any.test", 8080, "127.0.0.1", True),
        ("127.0.0.1:8080", "127.0.0.1", 8081, "127.0.0.1", False),
        ("127.0.0.1:8080", "127.0.0.2", 8080, "127.0.0.2", False),
        ("127.0.0.1:*", "127.0.0.1", 61234, "127.0.0.1", True),
        ("127.0.0.1:8080", "x.test", 8080, "::ffff:127.0.0.1", True),
        ("localhost:8080", "localhost", 8080, "::1", True),
        ("LOCALHOST.:8080", "localhost", 8080, "127.0.0.1", True),
        ("intranet.example:443", "intranet.example", 443, "10.1.2.3", True),
        ("intranet.example:443", "intranet.example", 443, "fd12::1", True),
        ("intranet.example:443", "intranet.example", 443, "192.168.1.1", True),
        ("intranet.example:443", "intranet.example", 443, "169.254.1.1", False),
        ("intranet.example:443", "intranet.example", 443, "100.64.0.1", False),
        ("intranet.example:443", "intranet.example", 443, "224.0.0.1", False),
        ("intranet.example:443", "intranet.example", 443, "169.254.169.254", False),
        ("intranet.example:443", "intranet.example", 443, "fd00:ec2::254", False),
        ("intranet.example:443", "www.intranet.example", 443, "10.1.2.3", False),
        ("10.0.0.0/8:443", "a.test", 443, "10.200.0.1", True),
        ("10.0.0.0/8:443", "a.test", 443, "11.0.0.1", True),
        ("10.0.0.0/8:443", "a.test", 443, "192.168.0.1", False),
        ("169.254.0.0/16:80", "a.test", 80, "169.254.1.1", True),
        ("169.254.0.0/16:80", "a.test", 80, "169.254.169.254", False),
        ("100.64.0.0/10:80", "a.test", 80, "100.100.100.200", False),
        ("0.0.0.0/0:80", "a.test", 80, "168.63.129.16", False),
        ("0.0.0.0/0:80", "metadata.google.internal", 80, "10.0.0.1", False),
        ("[::1]:80", "[::1]", 80, "::1", True),
        ("[fd12::/16]:80", "a.test", 80, "fd12:1::1", True),
    ],
)
def test_what_an_entry_covers(entry: str, host: str, port: int, address: str, allowed: bool) -> None:
    objection = check(Origin("http", host.strip("[]"), port), address, AllowList.parse([entry]))
    assert (objection is None) == allowed


@pytest.mark.parametrize(
    ("entry", "fix"),
    [
        ("127.0.0.1", "HOST:PORT"),
        ("", "HOST:PORT"),
        (":80", "HOST:PORT"),
        ("http://127.0.0.1:80", "HOST:PORT"),
        ("user@host:80", "HOST:PORT"),
        ("::1:80", "brackets"),
        ("host:0", "65535"),
        ("host:65536", "65535"),
        ("host:http", "65535"),
        ("host:", "65535"),
        ("host:²", "65535"),
        ("10.0.0.1/8:80", "host bits"),
        ("*.example.org:80", "wildcards"),
        ("[host]:80", "wildcards"),
        ("a b:80", "wildcards"),
        ("0177.0.0.1:80", "127.0.0.1"),
        ("169.254.169.254:80", "metadata"),
        ("[::ffff:169.254.169.254]:80", "metadata"),
    ],
)
def test_a_bad_entry_is_named_with_the_fix(entry: str, fix: str) -> None:
    with pytest.raises(ConfigError) as caught:
        AllowList.parse(["127.0.0.1:80", entry])
    assert repr(entry) in str(caught.value)
    assert fix in str(caught.value)


@pytest.mark.parametrize(
    ("entry", "host", "port", "own"),
    [
        ("127.0.0.1:8080", "127.0.0.1", 8080, True),
        ("127.0.0.1:8080", "localhost", 8080, True),
        ("127.0.0.1:8080", "a.localhost", 8080, True),
        ("127.0.0.1:8080", "localhost", 80, False),
        ("localhost:8080", "127.0.0.1", 8080, False),
        ("10.0.0.0/8:80", "10.1.1.1", 80, True),
        ("10.0.0.0/8:80", "intranet.example", 80, False),
        ("intranet.example:*", "intranet.example", 8000, True),
        ("[::1]:80", "::1", 80, True),
        ("[::1]:80", "example.org", 80, False),
    ],
)
def test_own_hosts(entry: str, host: str, port: int, own: bool) -> None:
    assert is_named(Origin("http", host, port), AllowList.parse([entry])) is own


@pytest.mark.parametrize(
    ("host", "port", "reason"),
    [
        ("127.0.0.1", 80, Reason.PRIVATE_ADDRESS),
        ("::1", 80, Reason.PRIVATE_ADDRESS),
        ("0x7f.1", 80, Reason.PRIVATE_ADDRESS),
        ("metadata.google.internal", 80, Reason.PRIVATE_ADDRESS),
        ("example.org", 22, Reason.BAD_PORT),
        ("example.org", 80, None),
        ("localhost", 6379, None),
    ],
)
def test_before_lookup(host: str, port: int, reason: Reason | None) -> None:
    objection = check_before_lookup(Origin("http", host, port), NONE)
    assert (objection.reason if objection else None) is reason
