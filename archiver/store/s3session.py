"""How answers are read that the SDK takes as a whole: errors, lists, acknowledgements. None of them may be endless.

Bodies of objects are streamed, and whoever reads one knows how long it may be. boto3 comes with this module: import it
late.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.exceptions import HTTPClientError

LONGEST = 16 << 20
"""Bytes; a list of 1,000 keys, the longest of all answers, takes 6 MB at most."""
_OK_UNTIL = 300


class EndlessAnswer(HTTPClientError):  # type: ignore[misc]  # botocore has no types
    """An answer went on past `LONGEST`."""

    fmt = "the answer is longer than any that S3 gives ({longest} bytes); is this an S3 server?"


class _Bounded:
    """A raw body whose `stream` ends in EndlessAnswer instead of the machine's memory."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    def stream(self, *wanted: Any, **named: Any) -> Iterator[bytes]:
        length = 0
        for piece in self._raw.stream(*wanted, **named):
            length += len(piece)
            if length > LONGEST:
                self._raw.close()
                raise EndlessAnswer(longest=LONGEST)
            yield piece

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)


def bound_answers(client: Any) -> None:
    """Of a client that was just made."""
    session = client._endpoint.http_session  # the SDK offers no way to give it one

    def send(request: Any, **_: Any) -> AWSResponse:
        is_streamed, request.stream_output = request.stream_output, True  # else it is read before we see it
        answer = session.send(request)
        if is_streamed and answer.status_code < _OK_UNTIL:
            return answer
        bounded = AWSResponse(answer.url, answer.status_code, answer.headers, _Bounded(answer.raw))
        bounded.content  # noqa: B018 - read here, as the SDK would have done, so that the connection is free again
        return bounded

    client.meta.events.register("before-send.s3", send)
