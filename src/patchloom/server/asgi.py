"""What the layers around the application share: ASGI's types, headers, and answers of their own."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from types import MappingProxyType
from typing import Any

from starlette.responses import RedirectResponse, Response

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


def whole_number(text: str, largest: int) -> int | None:
    """The number that ASCII digits write, if it is at most ``largest``."""
    digits = text.lstrip("0")[:20] or "0"
    if not (text.isascii() and text.isdecimal()) or len(text.lstrip("0")) > 19 or int(digits) > largest:
        return None
    return int(digits)


def response_to(problem: Problem, scope: Scope) -> Response:
    """A problem as the whole answer."""
    body, media_type = problem.answer(scope.get("path", ""), scope.get("request_id", ""))
    headers = {"Cache-Control": "no-store", **problem.headers}
    return Response(body, problem.status, headers, media_type=media_type)


def redirect(path: str, headers: Mapping[str, str] = MappingProxyType({})) -> Response:
    """Sends the client on to another address of ours."""
    return RedirectResponse(path, 303, {"Cache-Control": "no-store", **headers})
