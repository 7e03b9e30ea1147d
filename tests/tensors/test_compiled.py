"""Where compiled loops are kept, and what happens where they cannot be."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import numba
before = dict(vars(numba.config))
from patchloom.tensors.compiled import njit
assert dict(vars(numba.config)) == before, "numba's settings are left alone"
@njit(nogil=True)
def double(x):
    return 2 * x
{between}
assert double(21) == 42
"""


def run(tmp_path: Path, between: str = "", home: str = "home") -> list[str]:
    """Runs the script from a file (numba keeps nothing of others); returns what its home holds afterwards."""
    (tmp_path / "script.py").write_text(SCRIPT.format(between=between))
    (tmp_path / "tmp").mkdir(exist_ok=True)
    folders = {"HOME": str(tmp_path / home), "XDG_CACHE_HOME": str(tmp_path / home / "cache")}
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    subprocess.run(
        [sys.executable, str(tmp_path / "script.py")],
        env={**environment, **folders, "TMPDIR": str(tmp_path / "tmp")},
        check=True,
    )
    assert not list((tmp_path / "tmp").iterdir()), "nothing is left in the temporary folder"
    return sorted(path.suffix for path in (tmp_path / home).rglob("*") if path.is_file())


def test_loops_are_kept_in_the_users_cache(tmp_path: Path) -> None:
    assert run(tmp_path) == [".nbc", ".nbi"]


def test_a_full_disk_costs_the_cache_and_not_the_work(tmp_path: Path) -> None:
    full = "import os, numba.core.caching as c\ndef no(*a, **k): raise OSError(28, 'No space left on device')\n"
    assert run(tmp_path, full + "c.IndexDataCacheFile.save = no") == []


@pytest.mark.skipif("sys.platform == 'win32'", reason="the file in the way is POSIX's")
def test_a_home_that_cannot_be_written_costs_the_cache_and_not_the_work(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file in the way")
    assert run(tmp_path) == []
