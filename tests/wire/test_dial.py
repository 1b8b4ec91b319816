"""Resolve once, vet everything, dial what was vetted."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable, Sequence

import pytest

from archiver.errors import CaptureError
from archiver.model import Origin, Reason
from archiver.policy.address import AllowList
from archiver.ports import Vetted
from archiver.wire.client import HttpClient
from archiver.wire.dial import FixedDialer, Resolve, SystemDialer, ignored_proxies, system_resolve
from tests.wire.rawserver import RawServer

Make = Callable[..., SystemDialer]


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    made: list[SystemDialer] = []

    def build(allow: Sequence[str] = (), **options: object) -> SystemDialer:
        made.append(SystemDialer(AllowList.parse(allow), **options))  # type: ignore[arg-type]
        return made[-1]

    yield build
    for dialer in made:
        await dialer.close()


def table(**hosts: Sequence[str]) -> Resolve:
    def resolve(host: str) -> Sequence[str]:
        if host not in hosts:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return hosts[host]

    return resolve


def http(host: str, port: int = 80) -> Origin:
    return Origin("http", host, port)


async def test_public_addresses_come_in_resolver_order(make: Make) -> None:
    dialer = make(resolver=table(site=["93.184.216.34", "2606:4700::1", "1.1.1.1"]))
    assert await dialer.vet(http("site")) == Vetted(addresses=("93.184.216.34", "2606:4700::1", "1.1.1.1"))


@pytest.mark.parametrize("addresses", [["10.0.0.1"], ["1.1.1.1", "10.0.0.1"], ["1.1.1.1", "::ffff:10.0.0.1"]])
async def test_one_refused_address_refuses_the_host(make: Make, addresses: list[str]) -> None:
    vetted = await make(resolver=table(site=addresses)).vet(http("site"))
    assert vetted.addresses == ()
    assert vetted.objection is not None and vetted.objection.reason is Reason.PRIVATE_ADDRESS


async def test_a_named_host_may_be_private(make: Make) -> None:
    dialer = make(["intranet:8080"], resolver=table(intranet=["10.0.0.1", "fd12::1"], other=["10.0.0.1"]))
    assert (await dialer.vet(http("intranet", 8080))).addresses == ("10.0.0.1", "fd12::1")
    assert (await dialer.vet(http("other", 8080))).objection is not None
    assert (await dialer.vet(http("intranet", 8081))).objection is not None


async def test_all_refused_addresses_must_be_covered(make: Make) -> None:
    resolver = table(both=["10.0.0.1", "10.0.0.2"])
    assert (await make(["10.0.0.1:80"], resolver=resolver).vet(http("both"))).objection is not None
    assert (await make(["10.0.0.0/30:80"], resolver=resolver).vet(http("both"))).addresses


async def test_metadata_is_refused_whatever_is_allowed(make: Make) -> None:
    dialer = make(["evil:80", "0.0.0.0/0:80"], resolver=table(evil=["169.254.169.254"]))
    assert (await dialer.vet(http("evil"))).objection is not None


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "2130706433", "0177.1", "localhost", "localhost.", "a.localhost"])
async def test_this_machine_is_refused_without_a_look_up(make: Make, host: str) -> None:
    def resolver(host: str) -> Sequence[str]:
        raise AssertionError(host)

    objection = (await make(resolver=resolver).vet(http(host))).objection
    assert objection is not None and objection.reason is Reason.PRIVATE_ADDRESS


async def test_bad_ports_are_refused_without_a_look_up(make: Make) -> None:
    asked: list[str] = []
    dialer = make(resolver=lambda host: asked.append(host) or ["1.1.1.1"])
    objection = (await dialer.vet(http("site", 22))).objection
    assert objection is not None and objection.reason is Reason.BAD_PORT
    assert not asked
    assert (await make(resolver=table(site=["1.1.1.1"]), ports=(8080,)).vet(http("site", 8080))).addresses


async def test_localhost_needs_only_the_address_that_is_allowed(make: Make) -> None:
    dialer = make(["127.0.0.1:8080"])
    assert (await dialer.vet(http("localhost", 8080))).addresses == ("127.0.0.1",)
    assert (await make(["localhost:8080"]).vet(http("localhost", 8080))).addresses == ("127.0.0.1", "::1")


async def test_errors_are_the_hosts_own(make: Make) -> None:
    dialer = make(resolver=table(good=["1.1.1.1"], empty=[]))
    assert "Name or service not known" in str((await dialer.vet(http("bad"))).error)
    assert (await dialer.vet(http("empty"))).error == "empty: no address"
    assert (await dialer.vet(http("good"))).addresses
    assert (await make().vet(http("x" * 300 + ".test"))).error is not None


async def test_a_slow_name_does_not_hold_up_others(make: Make) -> None:
    release = threading.Event()

    def resolver(host: str) -> Sequence[str]:
        if host == "slow":
            release.wait(10)
        return ["1.1.1.1"]

    dialer = make(resolver=resolver, timeout=1.0)
    slow = asyncio.create_task(dialer.vet(http("slow")))
    assert (await dialer.vet(http("fast"))).addresses
    assert "no answer from DNS within 1" in str((await slow).error)
    release.set()


async def test_one_look_up_however_many_ask_and_then_a_cache(make: Make) -> None:
    asked: list[str] = []

    def resolver(host: str) -> Sequence[str]:
        asked.append(host)
        return ["1.1.1.1"]

    dialer = make(resolver=resolver, ttl=0.05)
    await asyncio.gather(*(dialer.vet(http("site")) for _ in range(20)))
    assert asked == ["site"]
    await asyncio.sleep(0.1)
    await dialer.vet(http("site"))
    assert asked == ["site", "site"]


async def test_an_interrupted_look_up_does_not_hang_the_others(make: Make) -> None:
    release = threading.Event()

    def resolver(host: str) -> Sequence[str]:
        release.wait(10)
        return ["1.1.1.1"]

    dialer = make(resolver=resolver)
    first = asyncio.create_task(dialer.vet(http("site")))
    second = asyncio.create_task(dialer.vet(http("site")))
    await asyncio.sleep(0.05)
    first.cancel()
    assert "interrupted" in str((await second).error)
    release.set()
    assert (await dialer.vet(http("site"))).addresses


async def test_rebinding_dials_what_was_vetted(make: Make, client: HttpClient, plain: RawServer) -> None:
    """The second answer points inside: it is refused, and within the first answer's life nothing else is dialled."""
    answers = [["127.0.0.1"], ["127.0.0.2"]]
    dialer = make([f"127.0.0.1:{plain.port}"], resolver=lambda host: answers.pop(0), ttl=0.05)
    plain.host = "rebind.test"
    vetted = await dialer.vet(plain.origin)
    exchange = await client.exchange(plain.request("/ok", addresses=vetted.addresses))
    assert exchange.ip == "127.0.0.1"
    await asyncio.sleep(0.1)
    vetted = await dialer.vet(plain.origin)
    assert vetted.objection is not None and vetted.objection.rule.startswith("127.0.0.2: loopback")
    with pytest.raises(CaptureError, match="no vetted address"):
        await client.exchange(plain.request("/ok", addresses=vetted.addresses))


def test_the_system_resolver_answers_literals() -> None:
    assert system_resolve("127.0.0.1") == ["127.0.0.1"]


def test_proxy_variables_are_told() -> None:
    assert ignored_proxies({"HTTPS_PROXY": "http://x", "http_proxy": "", "PATH": "/"}) == ["HTTPS_PROXY"]


async def test_the_fixed_dialer_knows_its_hosts() -> None:
    dialer = FixedDialer({"site": Vetted(addresses=("1.1.1.1",))})
    assert (await dialer.vet(http("site"))).addresses == ("1.1.1.1",)
    assert (await dialer.vet(http("other"))).error is not None
