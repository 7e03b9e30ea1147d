"""Who may talk to the server, and how much they may say: the layers around the application.

Each layer is a plain ASGI application around the next one; :func:`guarded` puts them in order. The reasons:
a page on the internet can make a visitor's browser send requests to programs on the visitor's own machine
(DNS rebinding, cross-site forms), and uploads are spooled to disk before a handler sees them.
"""

import asyncio
import hashlib
import hmac
import ipaddress
import logging
import secrets
import socket
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any, NamedTuple, cast
from urllib.parse import parse_qs, quote, urlsplit

from starlette.middleware.cors import CORSMiddleware

from patchloom.server.problems import Problem

log = logging.getLogger("patchloom.server")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

COOKIE = "patchloom"
PUBLIC = ("/api/health", "/api/ready", "/static/")  # what needs no token: signs of life, and the page's own code
LOOPBACK = ("localhost", "127.0.0.1", "::1")
GUESSES, GUESS_SECONDS = 10, 60.0  # wrong tokens from one address, and the time they are remembered
SLOWEST = 4096  # bytes a second that an upload must bring on average
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
            await answer(enveloped, scope, problem)
        except Exception:
            log.exception("Request %s met an error of ours", scope["request_id"])
            if not status:
                await answer(enveloped, scope, Problem(500, "internal_error", "Something went wrong inside."))
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
                return await redirect(send, self.root + "/")  # or the page's relative addresses would miss
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
    """Refuses names that are not ours: a foreign name that leads here is DNS rebinding."""

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
            return await answer(send, scope, problem)
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
        if whole(length, self.limit) is None:
            return await answer(send, scope, too_large)
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
            await answer(send, scope, problem)


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


class Wrong:
    """Wrong tokens by address: after ``GUESSES`` in ``GUESS_SECONDS`` none is looked at until these are over."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._guesses: dict[str, tuple[float, int]] = {}  # since when, how many

    def count(self, client: str) -> None:
        now = self._clock()
        since, number = self._guesses.get(client, (now, 0))
        self._guesses[client] = (now, 1) if now - since > GUESS_SECONDS else (since, number + 1)
        if len(self._guesses) > 10_000:
            self._guesses = {name: seen for name, seen in self._guesses.items() if now - seen[0] <= GUESS_SECONDS}

    def refuse(self, client: str) -> None:
        """Raises Problem 429 where there were too many."""
        since, number = self._guesses.get(client, (0.0, 0))
        left = since + GUESS_SECONDS - self._clock()
        if number >= GUESSES and left > 0:
            wait = {"Retry-After": str(int(left) + 1)}
            raise Problem(429, "too_many_guesses", "Too many wrong tokens.", "Try again in a minute.", wait)


class TokenCheck:
    """With a token set, lets in who brings it: as a bearer token, or as the cookie a browser got for it."""

    def __init__(self, app: Application, token: str) -> None:
        self.app = app
        self.wrong = Wrong()
        self.token = token.encode()
        self.cookie = hmac.new(self.token, b"patchloom page", hashlib.sha256).hexdigest()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self.token or scope["path"].startswith(PUBLIC):
            return await self.app(scope, receive, send)
        if scope["path"] == "/" and scope["method"] == "GET":
            given = parse_qs(bytes(scope["query_string"]).decode("latin-1")).get("token", [""])[0]
            if given and self._matches(scope, given.encode()):
                return await self._welcome(scope, send)
        if not self._known(scope):
            headers = {"WWW-Authenticate": "Bearer"}
            if scope["path"] == "/" and scope["method"] == "GET":
                scope["path"] = scope["raw_path"] = "/login"
                return await self.app(scope, receive, send)
            raise Problem(401, "no_token", "A token is needed.", "Send 'Authorization: Bearer TOKEN'.", headers)
        await self.app(scope, receive, send)

    def _known(self, scope: Scope) -> bool:
        scheme, _, given = (header(scope, b"authorization") or "").partition(" ")
        if scheme.lower() == "bearer":
            return self._matches(scope, given.strip().encode("latin-1"))
        try:
            cookie = SimpleCookie(header(scope, b"cookie") or "").get(COOKIE)
        except CookieError:
            return False
        return cookie is not None and hmac.compare_digest(cookie.value.encode(), self.cookie.encode())

    def _matches(self, scope: Scope, given: bytes) -> bool:
        """Whether it is the token. Raises Problem 429 for an address that has guessed too often."""
        client = (scope.get("client") or ("",))[0]
        self.wrong.refuse(client)
        right = hmac.compare_digest(given, self.token)
        if not right:
            self.wrong.count(client)
        return right

    async def _welcome(self, scope: Scope, send: Send) -> None:
        """The cookie, and on to an address without the token, which would stay in the history."""
        path = scope.get("prefix", "") + "/"
        secure = "; Secure" if scope["scheme"] == "https" else ""
        cookie = f"{COOKIE}={self.cookie}; Path={path}; HttpOnly; SameSite=Strict{secure}"
        await redirect(send, path, (b"set-cookie", cookie.encode()))


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
