"""Whether `archiver replay` is showing a collection right now: only then is there a replay URL to tell."""

from __future__ import annotations

import http.client

from archiver.replay.layout import host_of

DEFAULT_PORT = 8090
_SECONDS = 0.3


def is_shown(collection: str, port: int = DEFAULT_PORT) -> bool:
    """Asks 127.0.0.1 under the collection's own host name; anything but our replay's robots.txt is a no."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
    try:
        connection.request("GET", "/robots.txt", headers={"Host": f"{host_of(collection)}:{port}"})
        answer = connection.getresponse()
        return answer.status == 200 and answer.read(64).startswith(b"User-agent: *\nDisallow: /")
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
