"""Fails whatever tries to reach a machine other than this one."""

import contextlib
import socket
from collections.abc import Iterator
from typing import Any
from unittest import mock

LOCAL = ("127.0.0.1", "::1", "localhost", b"localhost", "", None, "0.0.0.0", "::")


def _guard(name: str, original: Any, host_of: Any) -> Any:
    def guarded(*arguments: Any, **options: Any) -> Any:
        if host_of(arguments) not in LOCAL:
            raise PermissionError(f"{name} {host_of(arguments)}: the network is out of bounds here")
        return original(*arguments, **options)

    return guarded


def _peer(arguments: tuple[Any, ...]) -> Any:
    address = arguments[1]
    return address[0] if isinstance(address, tuple) else "localhost"  # a file name: a socket of this machine


@contextlib.contextmanager
def only_this_machine() -> Iterator[None]:
    """While it lasts, connections to other machines and questions about their names are errors."""
    with contextlib.ExitStack() as stack:
        for owner, name, host_of in [
            (socket.socket, "connect", _peer),
            (socket.socket, "connect_ex", _peer),
            (socket, "getaddrinfo", lambda arguments: arguments[0]),
            (socket, "gethostbyname", lambda arguments: arguments[0]),
        ]:
            stack.enter_context(mock.patch.object(owner, name, _guard(name, getattr(owner, name), host_of)))
        yield
