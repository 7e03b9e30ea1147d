"""Where numba keeps the compiled loops: the user's cache, so that a read-only install is no obstacle.

``NUMBA_CACHE_DIR`` in the environment overrides it. Without a writable folder the loops are compiled anew in every
process. Modules with compiled loops import ``njit`` from here. Loops are not parallel themselves: threads share
them (``threads.py``).
"""

import os
import tempfile
from pathlib import Path
from typing import Any

import numba
import platformdirs
from numba import njit

__all__ = ["first_time", "njit"]


config: Any = numba.config  # whose settings become attributes at run time


def _folder() -> Path:
    """A writable folder for compiled loops."""
    folder = platformdirs.user_cache_path("patchloom") / "compiled"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK | os.X_OK):
            return folder
    except OSError:
        pass
    return Path(tempfile.mkdtemp(prefix="patchloom-"))


if not config.CACHE_DIR:
    config.CACHE_DIR = str(_folder())


def first_time() -> bool:
    """Whether no compiled loop is stored yet: the next fill compiles first, once."""
    return next(Path(config.CACHE_DIR).rglob("field.*.nbc"), None) is None
