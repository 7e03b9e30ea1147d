"""How much a request may bring, and how slowly; uploads are spooled to disk before a handler sees them."""

import asyncio
import time
from collections.abc import MutableMapping
from typing import Any

from patchloom.server.asgi import Application, Receive, Scope, Send, header, response_to, whole_number
from patchloom.server.jobs import Jobs
from patchloom.server.problems import Problem

SLOWEST = 4096  # bytes a second that an upload must bring on average


class RoomCheck:
    """507 before an upload is read for which the disk has no room, and 503 when the server is about to stop."""

    def __init__(self, app: Application, jobs: Jobs) -> None:
        self.app, self.jobs = app, jobs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST":
            try:
                self.jobs.require_running()
                self.jobs.require_room(whole_number(header(scope, b"content-length") or "0", 10**12) or 0)
            except Problem as problem:
                return await response_to(problem, scope)(scope, receive, send)
        await self.app(scope, receive, send)


class BodyLimit:
    """Counts the body as it comes: 413 above the cap, 408 for a client that stops or crawls.

    An answer given before the body was read swallows the rest of it (within the cap), so that the client
    gets to see the answer.
    """

    def __init__(self, app: Application, limit: int, patience: float) -> None:
        self.app = app
        self.limit = limit
        self.patience = patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        too_large = Problem(
            413,
            "too_large",
            f"The request is larger than {self.limit >> 20} MB.",
            "Send a smaller file, or start the server with a larger --max-request-mb.",
            {"Connection": "close"},
        )
        length = header(scope, b"content-length") or "0"
        if whole_number(length, self.limit) is None:
            return await response_to(too_large, scope)(scope, receive, send)
        body = _Body(receive, self.limit, self.patience, too_large)
        answered = False

        async def after_the_body(message: MutableMapping[str, Any]) -> None:
            nonlocal answered
            if message["type"] == "http.response.start" and not answered:
                answered = True
                if not await body.drain():
                    message = {**message, "headers": [*message.get("headers", []), (b"connection", b"close")]}
            await send(message)

        try:
            await self.app(scope, body.receive, after_the_body)
        except Problem as problem:
            if answered:
                raise
            await response_to(problem, scope)(scope, receive, send)


class _Body:
    """A request's body, counted and timed."""

    def __init__(self, receive: Receive, limit: int, patience: float, too_large: Problem) -> None:
        self._receive = receive
        self._limit = limit
        self._patience = patience
        self._too_large = too_large
        self._began = time.monotonic()
        self._count = 0
        self._complete = False
        self._broken = False
        self._turn = asyncio.Lock()  # a streamed answer waits for the end of the client while we still drain

    async def receive(self) -> MutableMapping[str, Any]:
        """The next part of the body; after the last one, waits until the client goes away."""
        return await self._part() or await self._receive()

    async def _part(self) -> MutableMapping[str, Any] | None:
        async with self._turn:
            return None if self._complete else await self._read()

    async def _read(self) -> MutableMapping[str, Any]:
        left = self._began + self._patience + self._count / SLOWEST - time.monotonic()
        try:
            message = await asyncio.wait_for(self._receive(), max(0.05, min(left, self._patience)))
        except TimeoutError:
            self._broken = True
            raise Problem(
                408, "too_slow", "The request came too slowly.", "Try again.", {"Connection": "close"}
            ) from None
        self._count += len(message.get("body", b""))
        if self._count > self._limit:
            self._broken = True
            raise self._too_large
        self._complete = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    async def drain(self) -> bool:
        """Reads what is left and forgets it; False if that is not possible within the limits."""
        try:
            while not self._complete and not self._broken:
                await self._part()
        except Problem:
            return False
        return not self._broken
