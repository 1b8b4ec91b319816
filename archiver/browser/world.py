"""JavaScript of ours in a world of its own: it sees the page's DOM, and the page's scripts see nothing of it."""

from __future__ import annotations

import asyncio
from typing import Any

from playwright.async_api import CDPSession, Error

WORLD = "archiver"


async def call(session: CDPSession, function: str, *arguments: Any, seconds: float) -> Any:
    """The value of a function called in the main frame, promises awaited. `arguments` and value are JSON.

    Raises TimeoutError, and Error of Playwright when the frame goes away or the function throws.
    """
    async with asyncio.timeout(seconds):
        tree = await session.send("Page.getFrameTree")
        frame = tree["frameTree"]["frame"]["id"]
        made = await session.send("Page.createIsolatedWorld", {"frameId": frame, "worldName": WORLD})
        answer = await session.send(
            "Runtime.callFunctionOn",
            {
                "functionDeclaration": function,
                "executionContextId": made["executionContextId"],
                "arguments": [{"value": value} for value in arguments],
                "awaitPromise": True,
                "returnByValue": True,
            },
        )
    if "exceptionDetails" in answer:
        raise Error(str(answer["exceptionDetails"].get("text", "the function threw")))
    return answer["result"].get("value")
