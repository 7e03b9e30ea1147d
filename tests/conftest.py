"""Which tests are slow: ``make test`` leaves them out, ``make test-all`` runs them, and so does the gate."""

from pathlib import Path

import pytest

SLOW = (
    "e2e",
    "training",
    "batch/test_cluster.py",
    "server/test_plugins.py",
    "server/test_load.py",
    "server/test_openapi.py",
    "test_site.py",
)
"""Folders and files, under tests/; single tests elsewhere bear the mark themselves."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    slow = [Path(__file__).parent / name for name in SLOW]
    for item in items:
        if any(item.path.is_relative_to(place) for place in slow):
            item.add_marker(pytest.mark.slow)
