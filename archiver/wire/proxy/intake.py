"""From the browser's bytes to requests: what a proxy is asked in clear, and what stands inside a CONNECT. Sans I/O."""

from __future__ import annotations

from dataclasses import dataclass

import h11

from archiver.ports.browser import BrowserRequest

BODY_LIMIT = 64 << 20
HEAD_LIMIT = 262_144

# between the browser and us (RFC 9110, 7.6.1), or written anew where we send
_NOT_PASSED_ON = frozenset(
    {
        b"host", b"connection", b"proxy-connection", b"proxy-authorization", b"keep-alive", b"te", b"trailer",
        b"transfer-encoding", b"content-length",
    }
)  # fmt: skip
_CLIENT_HINTS = b"sec-ch-ua"
"""Of Chromium's brand and platform: next to a user agent that names us they would say something else."""
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


class IntakeError(Exception):
    """What came is no request that a proxy can answer; the connection ends."""


@dataclass(frozen=True, slots=True)
class Connect:
    """A tunnel is asked for. `rest` came after it already."""

    authority: str
    rest: bytes


class Intake:
    """One request at a time: `feed` until something complete comes, answer it, then `turn` for the next.

    `base` is `http://host:port` or `https://host:port` inside a tunnel, None on the proxy's own port.
    """

    def __init__(self, base: str | None = None) -> None:
        self._base = base
        self._start()

    def _start(self) -> None:
        self._h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_LIMIT)
        self._request: h11.Request | None = None
        self._body: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> BrowserRequest | Connect | None:
        """None = more is needed. Raises IntakeError."""
        try:
            self._h11.receive_data(data)
            return self._events()
        except h11.RemoteProtocolError as error:
            raise IntakeError(str(error)) from error

    def turn(self) -> BrowserRequest | Connect | None:
        """The answer is out: what came meanwhile begins the next request."""
        rest, _ = self._h11.trailing_data
        self._start()
        return self.feed(rest) if rest else None

    def _events(self) -> BrowserRequest | Connect | None:
        while True:
            event = self._h11.next_event()
            if isinstance(event, h11.Request):
                self._request = event
            elif isinstance(event, h11.Data):
                self._size += len(event.data)
                if self._size > BODY_LIMIT:
                    raise IntakeError(f"a request body of more than {BODY_LIMIT} bytes")
                self._body.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                return self._complete()
            else:
                return None

    def _complete(self) -> BrowserRequest | Connect:
        request = self._request
        assert request is not None
        target = request.target.decode("latin-1")
        if request.method == b"CONNECT":
            if self._base is not None:
                raise IntakeError("a tunnel inside a tunnel")
            return Connect(authority=target, rest=self._h11.trailing_data[0])
        fields = [(bytes(name), bytes(value)) for name, value in request.headers.raw_items()]
        upgrade = any(name.lower() == b"upgrade" and value.lower() == b"websocket" for name, value in fields)
        return BrowserRequest(
            url=self._absolute(target),
            method=request.method.decode("ascii"),
            headers=tuple((name, value) for name, value in fields if _is_passed_on(name.lower())),
            body=b"".join(self._body),
            upgrade=upgrade,
        )

    def _absolute(self, target: str) -> str:
        if self._base is None:
            scheme, separator, rest = target.partition("://")
            if not separator:
                raise IntakeError("not the form in which a proxy is asked")
            known = {"ws": "http", "wss": "https"}.get(scheme.lower(), scheme.lower())
            if known not in _DEFAULT_PORTS:
                raise IntakeError(f"{scheme}: is not fetched")
            return f"{known}://{rest}"
        if not target.startswith("/"):
            raise IntakeError("inside a tunnel a request names a path")
        return self._base + target


def _is_passed_on(name: bytes) -> bool:
    return name not in _NOT_PASSED_ON and not name.startswith(_CLIENT_HINTS)


def base_of(authority: str, *, secure: bool) -> str:
    """`https://host` for the `host:443` of a CONNECT; other ports stay."""
    scheme = "https" if secure else "http"
    return f"{scheme}://{authority.removesuffix(_DEFAULT_PORTS[scheme])}"
