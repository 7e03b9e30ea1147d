"""HEAD wherever GET is: the same answer without its body, whatever the route."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

from patchloom.server.asgi import Application, Receive, Scope, Send


class HeadAsGet:
    """Asks the routes for what GET would give and sends on its head; what would follow, an event stream for
    example, is broken off."""

    def __init__(self, app: Application) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            return await self.app(scope, receive, send)
        begun = asyncio.Event()

        async def head(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body", "body": b""})
                begun.set()

        answer = asyncio.ensure_future(self.app({**scope, "method": "GET"}, receive, head))
        waiting = asyncio.ensure_future(begun.wait())
        await asyncio.wait([answer, waiting], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if begun.is_set():
            answer.cancel()
        await asyncio.gather(answer, waiting, return_exceptions=True)
        if not begun.is_set():
            answer.result()  # its error
