"""One S3 request, tried until it is answered: threads, retries with jitter, errors in our words."""

from __future__ import annotations

import asyncio
import contextlib
import io
import random
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from archiver.clock import Clock
from archiver.store.s3client import S3Settings, make_client
from archiver.store.s3counts import Counted, S3Counts
from archiver.store.s3errors import S3Fault, fault_of
from archiver.store.s3threads import RequestThreads

T = TypeVar("T")
_LEAST = 0.25
"""Of a pause that jitter leaves in any case: tries of one key never come in a hot loop."""


class S3Refused(Exception):
    """A request that was refused, or not answered within its tries; stays inside this package."""

    def __init__(self, fault: S3Fault) -> None:
        super().__init__(str(fault.error))
        self.fault = fault


def _never(fault: S3Fault) -> bool:
    return False


class S3Requests:
    """Requests to one bucket, in threads of their own, `connections` at most. The client is made at the first."""

    def __init__(self, settings: S3Settings, *, connections: int, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.counts = S3Counts()
        self._connections = connections
        self._threads = RequestThreads(connections)
        self._making = threading.Lock()
        self._made: Any = None
        self._expects = True
        self.refused = ""
        """Why the last request that failed did so, in our words; empty once one was answered."""

    async def call(
        self,
        operation: str,
        key: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        again: Callable[[S3Fault], bool] = _never,
        reader: Callable[[Any], Any] | None = None,
    ) -> Any:
        """The answer, or what `reader` makes of its body. Raises S3Refused. `again` names further faults that may pass.

        A `Body` that is a path is opened anew for each try. Of a listing, `key` is what is said of it in messages.
        """
        refused: S3Refused | None = None
        for attempt in range(self.settings.attempts):
            if attempt:
                await asyncio.sleep(self.pause(attempt))
            self.counts.asked(operation, again=attempt > 0)
            try:
                answer = await self.in_thread(lambda: self._request(operation, key, reader, arguments or {}))
                self.refused = ""
                return answer
            except Exception as error:
                refused = self.refusal(error, f"{operation} {key}")
                self.refused = str(refused)
                if not refused.fault.passing and not again(refused.fault):
                    raise refused from error
        assert refused is not None, "attempts is at least 1"
        raise refused

    async def ask(
        self,
        operation: str,
        key: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        again: Callable[[S3Fault], bool] = _never,
        reader: Callable[[Any], Any] | None = None,
    ) -> Any:
        """As `call`; raises StoreError instead of S3Refused."""
        try:
            return await self.call(operation, key, arguments, again=again, reader=reader)
        except S3Refused as refused:
            raise refused.fault.error from refused

    def refusal(self, error: Exception, what: str) -> S3Refused:
        """A fault of boto3 or the network in our words. Raises anything else as it is."""
        return S3Refused(fault_of(error, what, self.settings, self.clock))

    async def in_thread(self, work: Callable[[], T]) -> T:
        return await self._threads.run(work)

    def close(self) -> None:
        """What is still asked is not waited for."""
        if self._made is not None:
            self._made.close()

    def pause(self, attempt: int) -> float:
        """Jitter: uploads that failed together do not come back together."""
        timing = self.settings.timing
        longest = min(timing.longest_pause, timing.pause * 2.0**attempt)
        return random.uniform(_LEAST * longest, longest)

    def _request(self, operation: str, key: str, reader: Callable[[Any], Any] | None, more: Mapping[str, Any]) -> Any:
        named = {} if operation.startswith("list_") else {"Key": key}
        arguments = {"Bucket": self.settings.bucket, **named, **more}
        what = f"{operation} {key} {more.get('PartNumber', '')}"
        body = arguments.get("Body")
        if isinstance(body, Path | bytes):
            raw = body.open("rb", buffering=0) if isinstance(body, Path) else io.BytesIO(body)
            with Counted(raw, lambda at: self.counts.sent(what, at)) as counted:
                answer = self._send_body(operation, arguments, counted)
                self.counts.answered(what, counted.seek(0, io.SEEK_END))
        else:
            answer = self._send(operation, arguments)
            self.counts.answered(what)
        if reader is None:
            return answer
        with contextlib.closing(Body(answer["Body"], self.counts)) as read:
            return reader(read)

    def _send_body(self, operation: str, arguments: Mapping[str, Any], body: Counted) -> Any:
        """A server that never says `100 Continue` is sent bodies without asking from then on (RFC 9110, 10.1.1): over
        TLS 1.3 botocore takes a session ticket for the beginning of an answer, and waits for the rest of it."""
        from botocore.exceptions import ConnectionClosedError

        try:
            return self._send(operation, {**arguments, "Body": body})
        except ConnectionClosedError as error:
            if body.tell() == 0 and "timed out" in str(error.kwargs.get("error")):
                self._expects = False
            raise

    def _add_no_expect(self, params: Any, **_: Any) -> None:
        if not self._expects:
            params["headers"].pop("Expect", None)

    def _send(self, operation: str, arguments: Mapping[str, Any]) -> Any:
        with self._making:
            if self._made is None:
                self._made = make_client(self.settings, self._connections)
                self._made.meta.events.register_last("before-call.s3", self._add_no_expect)
        return getattr(self._made, operation)(**arguments)


class Body:
    """The body of an answer; counts what is read of it."""

    def __init__(self, body: Any, counts: S3Counts) -> None:
        self._body = body
        self._counts = counts

    def read(self, size: int | None = None) -> bytes:
        data: bytes = self._body.read(size)
        self._counts.read(len(data))
        return data

    def close(self) -> None:
        self._body.close()
