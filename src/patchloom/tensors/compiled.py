"""Compiled loops, and where they are kept: the user's cache, so that a read-only install is no obstacle.

``NUMBA_CACHE_DIR`` in the environment overrides it. Where nothing can be kept (no such folder, a full disk) the
loops are compiled anew in every process. Modules with compiled loops import :func:`njit` from here. Loops are not
parallel themselves: threads share them (``threads.py``).
"""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import platformdirs

__all__ = ["first_time", "njit"]

_config: Any = numba.config  # whose settings become attributes at run time


def _folder() -> Path | None:
    """A writable folder for compiled loops, if there is one."""
    if _config.CACHE_DIR:
        return Path(_config.CACHE_DIR)
    folder = platformdirs.user_cache_path("patchloom") / "compiled"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK | os.X_OK) else None


FOLDER = _folder()


def njit(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """numba's, with what it compiles kept in our folder; numba's own settings are left as they are."""

    def compiled(function: Callable[..., Any]) -> Any:
        dispatcher = numba.njit(**options)(function)
        if FOLDER is not None:
            with contextlib.suppress(RuntimeError, OSError):  # no place where anything can be kept
                _keep(dispatcher, FOLDER)
        return dispatcher

    return compiled


def _keep(dispatcher: Any, folder: Path) -> None:
    """Has ``dispatcher`` look for what it compiles in ``folder`` and leave it there, if that can be done."""
    before = _config.CACHE_DIR
    _config.CACHE_DIR = str(folder)
    try:
        dispatcher.enable_caching()  # decides on the place now
    finally:
        _config.CACHE_DIR = before
    save = dispatcher._cache.save_overload

    def save_if_possible(*arguments: Any) -> None:
        with contextlib.suppress(OSError):  # a full disk
            save(*arguments)

    dispatcher._cache.save_overload = save_if_possible


def first_time() -> bool:
    """Whether no compiled loop is stored yet: the next fill compiles first, once."""
    return FOLDER is None or next(FOLDER.rglob("field.*.nbc"), None) is None
