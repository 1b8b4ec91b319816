"""The guard itself: if it stops guarding, every other test may leave the machine unnoticed."""

import asyncio
import socket
import threading
import urllib.request

import pytest

from tests import loopback
from tests.loopback import OutsideLoopback, guarded, is_local


@pytest.fixture
def _fresh_guard():
    """A guard of the test's own, so that what it refuses on purpose does not fail the test."""
    with guarded() as refused:
        yield refused
    loopback._refused = []


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("2001:db8::1", 80, 0, 0), ("10.0.0.1", 80)])
def test_dialling_outside_raises_and_is_noted(_fresh_guard, address):
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family) as sock, pytest.raises(OutsideLoopback):
        sock.connect(address)
    assert len(_fresh_guard) == 1


def test_udp_and_lookups_count(_fresh_guard):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock, pytest.raises(OutsideLoopback):
        sock.sendto(b"x", ("192.0.2.1", 53))
    with pytest.raises(OutsideLoopback):
        socket.getaddrinfo("example.org", 80)
    assert len(_fresh_guard) == 2


async def test_asyncio_is_seen(_fresh_guard):
    with pytest.raises(OutsideLoopback):
        await asyncio.open_connection("192.0.2.1", 80)
    assert _fresh_guard


def test_other_threads_are_seen(_fresh_guard):
    def swallow() -> None:
        try:
            urllib.request.urlopen("http://192.0.2.1/", timeout=1)
        except Exception:
            return

    thread = threading.Thread(target=swallow)
    thread.start()
    thread.join()
    assert _fresh_guard, "swallowed by the code, yet noted"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "localhost", "a.localhost"])
def test_loopback_is_local(host):
    assert is_local(host, lookup=False)


@pytest.mark.parametrize("host", ["0.0.0.0", "169.254.169.254", "::ffff:10.0.0.1", "example.org", "notlocalhost"])
def test_the_rest_is_not(host):
    assert not is_local(host, lookup=False)
