"""Who may talk to the server, and how much they may say: the layers around the application.

Each layer is a plain ASGI application around the next one; :func:`guarded` puts them in order. The reasons:
a page on the internet can make a visitor's browser send requests to programs on the visitor's own machine
(DNS rebinding, cross-site forms), and uploads are spooled to disk before a handler sees them.
"""

import asyncio
import ipaddress
import logging
import secrets
import socket
import time
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, NamedTuple, cast
from urllib.parse import quote, urlsplit

from starlette.middleware.cors import CORSMiddleware

from patchloom.server.asgi import Application, Receive, Scope, Send, header, redirect, response_to
from patchloom.server.body import BodyLimit
from patchloom.server.problems import Problem
from patchloom.server.tokens import TokenCheck

log = logging.getLogger("patchloom.server")

LOOPBACK = ("localhost", "127.0.0.1", "::1")
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob:; object-src 'none'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Access:
    """Who is let in. ``token`` empty: everybody who reaches the port. ``any_address``: not only loopback."""

    token: str = ""
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()  # of other sites whose pages may call, such as https://photos.example
    trusted_proxies: tuple[str, ...] = ()
    any_address: bool = False
    root_path: str = ""


class Answered(NamedTuple):
    """A request and its answer, for the log. ``path`` is without the query, which may hold a token."""

    request: str
    client: str
    method: str
    path: str
    status: int
    bytes: int  # of the answer's body
    seconds: float
    job: str  # its id, if the request concerned one


def guarded(
    app: Application,
    access: Access,
    *,
    request_bytes: int,
    patience: float,
    record: Callable[[Answered], None] = lambda answered: None,
) -> Application:
    """``app`` behind every layer; the first one named in the nesting sees a request last."""
    app = OriginCheck(app, access.allowed_origins)
    app = TokenCheck(app, access.token)
    if access.allowed_origins:
        app = cast(Application, _cross_origin(app, access.allowed_origins))
    app = BodyLimit(app, request_bytes, patience)
    app = HostCheck(app, access)
    app = ProxyHeaders(app, access)
    return Envelope(app, record)


def _cross_origin(app: Application, origins: tuple[str, ...]) -> CORSMiddleware:
    """Answers what browsers ask before they let those sites' pages call, token included."""
    return CORSMiddleware(
        cast(Any, app),
        allow_origins=origins,
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID"],
        expose_headers=["Location", "Retry-After", "X-Request-Id", "X-Seed", "X-Width", "X-Height"],
    )


class Envelope:
    """Outermost: security headers and a request id on every answer; an error of ours becomes a 500."""

    def __init__(self, app: Application, record: Callable[[Answered], None]) -> None:
        self.app, self.record = app, record
        self.headers = [(key.lower().encode(), value.encode()) for key, value in HEADERS.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        if scope["type"] != "http":
            return await send({"type": "websocket.close", "code": 1008})
        scope["request_id"] = secrets.token_hex(8)
        began, status, length = time.monotonic(), 0, 0

        async def enveloped(message: MutableMapping[str, Any]) -> None:
            nonlocal status, length
            if message["type"] == "http.response.start":
                status = message["status"]
                own = [(b"x-request-id", scope["request_id"].encode()), *self._headers(message.get("headers", []))]
                message = {**message, "headers": [*message.get("headers", []), *own]}
            length += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive, enveloped)
        except Problem as problem:
            await response_to(problem, scope)(scope, receive, enveloped)
        except asyncio.CancelledError:  # the server stops, and has waited long enough for this one
            if not status:
                await response_to(Problem.stopping(), scope)(scope, receive, enveloped)
        except Exception:
            log.exception("Request %s met an error of ours", scope["request_id"])
            if not status:
                bug = Problem(500, "internal_error", "Something went wrong inside.")
                await response_to(bug, scope)(scope, receive, enveloped)
        finally:
            client = (scope.get("client") or ("",))[0]
            seconds = round(time.monotonic() - began, 4)
            # Quoted: one line in the log, whatever is in the path.
            job = quote(str(scope.get("path_params", {}).get("name") or scope.get("job", "")))
            path = quote(scope["path"], safe="/!$&'()*+,;=:@~")
            self.record(Answered(scope["request_id"], client, scope["method"], path, status, length, seconds, job))

    def _headers(self, sent: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """Ours; an answer that a page of another site may read is not kept to our own."""
        if any(key == b"access-control-allow-origin" for key, _ in sent):
            return [pair for pair in self.headers if pair[0] != b"cross-origin-resource-policy"]
        return self.headers


class ProxyHeaders:
    """Believes ``X-Forwarded-Host``, ``-Proto`` and ``-For`` of trusted proxies only, and knows the sub-path."""

    def __init__(self, app: Application, access: Access) -> None:
        self.app = app
        self.trusted = frozenset(access.trusted_proxies)
        self.root = access.root_path.rstrip("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            client = (scope.get("client") or ("",))[0]
            if client in self.trusted:
                self._believe(scope)
            if self.root and scope["path"] == self.root:
                return await redirect(self.root + "/")(
                    scope, receive, send
                )  # or the page's relative addresses would miss
            if self.root:
                self._strip(scope)
        await self.app(scope, receive, send)

    def _believe(self, scope: Scope) -> None:
        scope["scheme"] = (header(scope, b"x-forwarded-proto") or scope["scheme"]).split(",")[0].strip()
        client = (header(scope, b"x-forwarded-for") or "").split(",")[-1].strip()  # whom the proxy itself has seen
        if client:
            scope["client"] = (client, 0)
        host = header(scope, b"x-forwarded-host")
        if host:
            rest = [pair for pair in scope["headers"] if pair[0] != b"host"]
            scope["headers"] = [(b"host", host.split(",")[0].strip().encode("latin-1")), *rest]

    def _strip(self, scope: Scope) -> None:
        """Works whether or not the proxy has taken the sub-path off."""
        scope["prefix"] = self.root
        if scope["path"].startswith(self.root + "/"):
            scope["path"] = scope["path"][len(self.root) :]
            scope["raw_path"] = scope["path"].encode()


class HostCheck:
    """Refuses names that are not ours: a foreign name that leads here is DNS rebinding.

    Not Starlette's TrustedHostMiddleware: that takes an IPv6 address's first colon for the port's, cannot let in
    any address without letting in any name, and answers in plain text.
    """

    def __init__(self, app: Application, access: Access) -> None:
        self.app = app
        self.names = {*LOOPBACK, *(name.lower() for name in access.allowed_hosts)}
        self.any_address = access.any_address
        if access.any_address:
            self.names.add(socket.gethostname().lower())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._ours(header(scope, b"host") or ""):
            problem = Problem(
                400,
                "wrong_host",
                "This server is not meant to be reached by that name.",
                "See --allowed-host.",
                {"Connection": "close"},  # whatever else it sends is not read
            )
            return await response_to(problem, scope)(scope, receive, send)
        await self.app(scope, receive, send)

    def _ours(self, host: str) -> bool:
        try:
            name = (urlsplit(f"//{host}").hostname or "").lower()
        except ValueError:
            return False
        return name in self.names or (self.any_address and _is_address(name))


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class OriginCheck:
    """Refuses writes that another site's page makes a browser send. Programs send no Origin and pass."""

    def __init__(self, app: Application, allowed: tuple[str, ...]) -> None:
        self.app, self.allowed = app, frozenset(allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in ("GET", "HEAD", "OPTIONS") and not self._own(scope):
            raise Problem(403, "foreign_origin", "Another site's page may not do this.")
        await self.app(scope, receive, send)

    def _own(self, scope: Scope) -> bool:
        if header(scope, b"origin") in self.allowed:
            return True
        if (header(scope, b"sec-fetch-site") or "same-origin") not in ("same-origin", "none"):
            return False
        origin = header(scope, b"origin")
        return origin is None or _authority(origin) == (header(scope, b"host") or "").lower()


def _authority(origin: str) -> str:
    return origin.partition("://")[2].lower()
