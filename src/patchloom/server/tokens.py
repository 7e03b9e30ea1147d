"""The token of a server that others can reach, and what becomes of those who guess it."""

import hashlib
import hmac
import time
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.responses import Response

from patchloom.server.asgi import Application, Receive, Scope, Send, header, redirect
from patchloom.server.problems import Problem

COOKIE = "patchloom"
PUBLIC = ("/api/health", "/api/ready", "/static/")  # what needs no token: signs of life, and the page's own code
GUESSES, GUESS_SECONDS = 10, 60.0  # wrong tokens from one address, and the time they are remembered


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
                return await self._welcome(scope)(scope, receive, send)
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

    def _welcome(self, scope: Scope) -> Response:
        """The cookie, and on to an address without the token, which would stay in the history."""
        path = scope.get("prefix", "") + "/"
        secure = "; Secure" if scope["scheme"] == "https" else ""
        cookie = f"{COOKIE}={self.cookie}; Path={path}; HttpOnly; SameSite=Strict{secure}"
        return redirect(path, {"Set-Cookie": cookie})
