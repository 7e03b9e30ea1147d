"""Servers for the tests of this folder: with the fake engine, and with the real one cut off from the network."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import network_guard
from live_server import Live, live

from patchloom.server.app import ServerSettings


@pytest.fixture(autouse=True)
def no_network() -> Iterator[None]:
    """Neither the server nor a test of it reaches another machine."""
    with network_guard.only_this_machine():
        yield


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Live]]:
    """Starts servers of the test's own: ``serve(limits=..., access=...)``; the engine is the fake one."""
    with contextlib.ExitStack() as stack:

        def start(engine: str = "fake_engines:Actor", **settings: Any) -> Live:
            chosen = ServerSettings(engine=engine, folder=tmp_path / "jobs", **settings)
            return stack.enter_context(live(chosen))

        yield start


@pytest.fixture(scope="session")
def fake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server with the fake engine and the usual limits."""
    with live(ServerSettings(engine="fake_engines:Actor", folder=tmp_path_factory.mktemp("fake"))) as server:
        yield server


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server that fills, and cannot reach the network."""
    with live(ServerSettings(engine="fake_engines:Offline", folder=tmp_path_factory.mktemp("real"))) as server:
        yield server
