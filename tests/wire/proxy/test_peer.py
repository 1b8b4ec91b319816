from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from archiver.wire.proxy import peer

NOBODY = 65534
DIAL = "import os,socket,sys; os.setuid({uid}); s=socket.socket(); s.connect(('127.0.0.1',{port})); sys.stdin.read()"


@pytest.mark.parametrize("ask", [peer._by_netlink, lambda _, who: peer._by_table(who)], ids=["netlink", "table"])
def test_the_kernel_says_whose_a_connection_is(ask) -> None:  # type: ignore[no-untyped-def]
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        accepted, who = server.accept()
        with accepted:
            assert ask(accepted.getsockname(), who) == os.getuid()
            assert peer.is_own(accepted.getsockname(), who)


def test_nobodys_connection_is_not_ours() -> None:
    assert not peer.is_own(("127.0.0.1", 1), ("127.0.0.1", 2))


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
def test_another_users_process_is_told_apart() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        other = subprocess.Popen([sys.executable, "-c", DIAL.format(uid=NOBODY, port=port)], stdin=subprocess.PIPE)
        try:
            accepted, who = server.accept()
            with accepted:
                assert peer._by_netlink(accepted.getsockname(), who) == NOBODY
                assert peer._by_table(who) == NOBODY
                assert not peer.is_own(accepted.getsockname(), who)
        finally:
            other.communicate(b"")
