"""Names to addresses that may be dialled. The one place that asks a resolver; proxy variables play no part in it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from archiver.model import Objection, Origin
from archiver.policy.address import (
    DEFAULT_PORTS,
    LOCAL_ADDRESSES,
    AllowList,
    check,
    check_before_lookup,
    is_local_name,
    parse_address,
)
from archiver.ports import Vetted

Resolve = Callable[[str], Sequence[str]]
"""Host name to textual addresses; blocking, called in a thread. Raises OSError when the name does not resolve."""

_ERROR_TTL = 5.0
_NEVER = (float("-inf"), Vetted())
_CACHE_LIMIT = 10_000
_THREADS = 16  # a dead name server holds one for as long as the system's resolver tries; the others go on
_PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "ftp_proxy")


def system_resolve(host: str) -> list[str]:
    """getaddrinfo, stream addresses only, in the system's order (RFC 6724), each once."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(item[4][0]) for item in found))


def ignored_proxies(environ: Mapping[str, str]) -> list[str]:
    """Names of the proxy variables that are set and have no effect here, for a warning."""
    return sorted(name for name in environ if name.lower() in _PROXY_VARIABLES and environ[name])


@dataclass(slots=True)
class _Answer:
    """What a resolver said, and until when (loop time) it is believed."""

    until: float
    addresses: tuple[str, ...] = ()
    error: str | None = None


class SystemDialer:
    """`ports.Dialer`: resolve, then vet every address.

    A host with any refused address is refused altogether, unless the allow list covers all of those: a name that
    points outside and inside at once is an attack or a mistake. Answers are believed for `ttl` seconds, failures for
    5 s. `timeout` bounds one look-up, waiting for a thread included.
    """

    def __init__(
        self,
        allow: AllowList,
        *,
        resolver: Resolve | None = None,
        ttl: float = 60.0,
        timeout: float = 10.0,
        ports: Collection[int] = DEFAULT_PORTS,
    ) -> None:
        self._allow = allow
        self._resolve = resolver or system_resolve
        self._ttl = ttl
        self._timeout = timeout
        self._ports = frozenset(ports)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="resolve")
        self._answers: dict[str, _Answer] = {}
        self._asking: dict[str, asyncio.Future[_Answer]] = {}
        self._vetted: dict[Origin, tuple[float, Vetted]] = {}

    async def vet(self, origin: Origin) -> Vetted:
        """See `ports.Dialer`. Never raises: a name that does not resolve is `Vetted.error`.

        What was vetted holds as long as the resolver's answer it rests on.
        """
        now = asyncio.get_running_loop().time()
        until, vetted = self._vetted.get(origin, _NEVER)
        if now < until:
            return vetted
        vetted = await self._vet(origin)
        answer = self._answers.get(origin.host)
        if vetted.error is not None and answer is None:  # an interrupted look-up is no answer
            return vetted
        if len(self._vetted) >= _CACHE_LIMIT:
            self._vetted.clear()
        self._vetted[origin] = (now + self._ttl if answer is None else answer.until, vetted)
        return vetted

    async def _vet(self, origin: Origin) -> Vetted:
        objection = check_before_lookup(origin, self._allow, ports=self._ports)
        if objection is not None:
            return Vetted(objection=objection)
        literal = parse_address(origin.host)
        if literal is not None:
            return Vetted(addresses=(str(literal),))
        if is_local_name(origin.host):
            return self._vet_local(origin)
        answer = await self._ask(origin.host)
        if answer.error is not None:
            return Vetted(error=answer.error)
        return self._vet_all(origin, answer.addresses)

    def _vet_all(self, origin: Origin, addresses: tuple[str, ...]) -> Vetted:
        for address in addresses:
            objection = self._check(origin, address)
            if objection is not None:
                return Vetted(objection=objection)
        return Vetted(addresses=addresses)

    def _vet_local(self, origin: Origin) -> Vetted:
        """Both loopback addresses are ours by definition, not by a resolver's word: the allowed ones are enough."""
        objections = {address: self._check(origin, address) for address in LOCAL_ADDRESSES}
        allowed = tuple(address for address, objection in objections.items() if objection is None)
        return Vetted(addresses=allowed) if allowed else Vetted(objection=objections[LOCAL_ADDRESSES[0]])

    def _check(self, origin: Origin, address: str) -> Objection | None:
        return check(origin, address, self._allow, ports=self._ports)

    async def _ask(self, host: str) -> _Answer:
        """The cached answer, or one look-up however many ask."""
        loop = asyncio.get_running_loop()
        known = self._answers.get(host)
        if known is not None and loop.time() < known.until:
            return known
        asking = self._asking.get(host)
        if asking is not None:
            return await asyncio.shield(asking)
        self._asking[host] = future = loop.create_future()
        answer = _Answer(loop.time(), error=f"{host}: the look-up was interrupted")
        try:
            answer = await self._look_up(host)
            self._remember(host, answer)
        finally:
            del self._asking[host]
            future.set_result(answer)
        return answer

    async def _look_up(self, host: str) -> _Answer:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timeout):
                found = await loop.run_in_executor(self._threads, self._resolve, host)
        except TimeoutError:
            return _Answer(loop.time() + _ERROR_TTL, error=f"{host}: no answer from DNS within {self._timeout:g} s")
        except (OSError, UnicodeError) as exc:
            reason = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
            return _Answer(loop.time() + _ERROR_TTL, error=f"{host}: {reason}")
        if not found:
            return _Answer(loop.time() + _ERROR_TTL, error=f"{host}: no address")
        return _Answer(loop.time() + self._ttl, addresses=tuple(found))

    def _remember(self, host: str, answer: _Answer) -> None:
        self._answers.pop(host, None)
        while len(self._answers) >= _CACHE_LIMIT:
            del self._answers[next(iter(self._answers))]
        self._answers[host] = answer

    async def close(self) -> None:
        """Give the threads back; a look-up that hangs is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class FixedDialer:
    """A `ports.Dialer` that knows its answers: for tests. Unknown hosts do not resolve."""

    def __init__(self, known: Mapping[str, Vetted]) -> None:
        self._known = known

    async def vet(self, origin: Origin) -> Vetted:
        return self._known.get(origin.host) or Vetted(error=f"{origin.host}: not known here")
