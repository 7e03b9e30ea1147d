"""Where numba keeps the compiled loops: the user's cache, so that a read-only install is no obstacle.

``NUMBA_CACHE_DIR`` in the environment overrides it. Without a writable folder the loops are compiled anew in every
process. Modules with compiled loops import ``njit`` and ``prange`` from here.
"""

import os
import tempfile
from pathlib import Path
from typing import Any

import numba
import platformdirs
from numba import njit, prange, set_num_threads

__all__ = ["first_time", "njit", "prange", "use_threads"]


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

# Not TBB first, which is numba's order: with it every call of a parallel loop keeps 7 kB for good (numba 0.68).
if "NUMBA_THREADING_LAYER_PRIORITY" not in os.environ:
    config.THREADING_LAYER_PRIORITY = ["omp", "tbb", "workqueue"]


def first_time() -> bool:
    """Whether no compiled loop is stored yet: the next fill compiles first, once."""
    return next(Path(config.CACHE_DIR).rglob("field.*.nbc"), None) is None


def use_threads(count: int) -> None:
    """At most ``count`` threads for compiled loops; what they compute does not depend on it."""
    set_num_threads(min(count, config.NUMBA_NUM_THREADS))
