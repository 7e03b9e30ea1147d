"""Opens the ports and runs the application under uvicorn, with time limits that uvicorn does not have."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from patchloom.errors import PatchloomError
from patchloom.server.asgi import Application


class PortTaken(PatchloomError):  # noqa: N818 - says what happened
    exit_code = 7
    code = "port_taken"


def patient_protocol(patience: float) -> type[asyncio.Protocol]:
    """uvicorn's HTTP protocol, closing connections whose request head is not there after ``patience`` seconds."""

    class Patient(H11Protocol):
        _waiting_for_head: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._watch()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._watch()

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            self._forget()

        def _watch(self) -> None:
            if self.conn.their_state is not h11.IDLE:
                self._forget()
            elif self._waiting_for_head is None:
                self._waiting_for_head = self.loop.call_later(patience, self.transport.close)

        def _forget(self) -> None:
            if self._waiting_for_head is not None:
                self._waiting_for_head.cancel()
                self._waiting_for_head = None

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self._forget()  # between requests uvicorn's own keep-alive limit counts

    return Patient


def open_sockets(host: str, port: int) -> list[socket.socket]:
    """Listening sockets; for ``localhost`` on both loopback addresses. Raises PortTaken."""
    hosts = ("127.0.0.1", "::1") if host == "localhost" else (host,)
    opened: list[socket.socket] = []
    try:
        for name in hosts:
            family = socket.AF_INET6 if ":" in name else socket.AF_INET
            with contextlib.ExitStack() as stack:
                try:
                    listener = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
                except OSError:
                    continue  # a machine without IPv6
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                if not _bind(listener, name, port or (opened[0].getsockname()[1] if opened else 0)):
                    continue
                stack.pop_all()
                opened.append(listener)
    except OSError as error:
        for listener in opened:
            listener.close()
        raise PortTaken(
            f"Port {port} of {host} cannot be opened: {error.strerror}.", "Choose another with --port."
        ) from error
    return opened


def _bind(listener: socket.socket, name: str, port: int) -> bool:
    """False where the second loopback address does not exist."""
    try:
        listener.bind((name, port))
    except OSError:
        if name == "::1":
            return False
        raise
    return True


def server(app: Application, *, patience: float, on_started: Callable[[], None] = lambda: None) -> uvicorn.Server:
    """A uvicorn server without access log (addresses may hold a token) and without belief in proxy headers."""
    config = uvicorn.Config(
        app,
        http=patient_protocol(patience),
        ws="none",
        lifespan="on",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        log_config=None,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=3,
    )
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    return _Announcing(config, on_started)


class _Announcing(uvicorn.Server):
    """Calls ``on_started`` once the ports answer, and tells the application of the end before it waits for answers
    that are under way: by ``stop`` in what its lifespan yields."""

    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.lifespan.state.get("stop", lambda: None)()
        await super().shutdown(sockets)
