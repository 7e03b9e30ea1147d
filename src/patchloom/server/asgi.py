"""What the layers around the application share: ASGI's types, headers, and answers of their own."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from patchloom.server.problems import Problem

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def header(scope: Scope, name: bytes) -> str | None:
    """The first value of a request header (name in lower case)."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value).decode("latin-1")
    return None


def whole(text: str, largest: int) -> int | None:
    """The number that ASCII digits write, if it is at most ``largest``."""
    digits = text.lstrip("0")[:20] or "0"
    if not (text.isascii() and text.isdecimal()) or len(text.lstrip("0")) > 19 or int(digits) > largest:
        return None
    return int(digits)


async def answer(send: Send, scope: Scope, problem: Problem) -> None:
    """Sends a problem as the whole answer."""
    body, media_type = problem.answer(scope.get("path", ""), scope.get("request_id", ""))
    headers = {"Content-Type": media_type, "Content-Length": str(len(body)), "Cache-Control": "no-store"}
    pairs = [(key.lower().encode(), value.encode()) for key, value in {**headers, **problem.headers}.items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})


async def redirect(send: Send, path: str, *headers: tuple[bytes, bytes]) -> None:
    """Sends the client on to another address of ours."""
    start = [(b"location", path.encode()), (b"cache-control", b"no-store"), *headers]
    await send({"type": "http.response.start", "status": 303, "headers": start})
    await send({"type": "http.response.body", "body": b""})
