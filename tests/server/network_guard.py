"""Fails whatever tries to reach a machine other than this one; cannot be taken out again, only switched."""

import sys
from typing import Any

LOCAL = ("127.0.0.1", "::1", "localhost", "", None, "0.0.0.0", "::")
active = False


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    if not active:
        return
    if event == "socket.connect" and isinstance(arguments[1], tuple) and arguments[1][0] not in LOCAL:
        raise PermissionError(f"{event} {arguments[1]}")
    if event in ("socket.getaddrinfo", "socket.gethostbyname") and arguments[0] not in (*LOCAL, b"localhost"):
        raise PermissionError(f"{event} {arguments[0]}")


def install() -> None:
    global active
    active = True
    sys.addaudithook(watch)
