"""Importing the package needs nothing that only some systems have, and changes nothing of its host."""

import subprocess
import sys
from pathlib import Path

import patchloom

SOURCE = Path(patchloom.__file__).parent
MODULES = sorted(
    ".".join(("patchloom", *path.relative_to(SOURCE).with_suffix("").parts)).removesuffix(".__init__")
    for path in SOURCE.rglob("*.py")
    if path.name != "__main__.py"
)
POSIX = ("resource", "fcntl", "pwd", "grp", "termios", "tty", "pty", "syslog", "readline", "posix_ipc")


def run(script: str) -> str:
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_every_module_imports_without_what_only_posix_has() -> None:
    # In our own modules only: what other packages import, they import where it exists.
    run(
        f"""
import builtins, importlib, sys

real = builtins.__import__

def importing(name, *rest, **more):
    if name in {POSIX!r} and {str(SOURCE)!r} in sys._getframe(1).f_code.co_filename:
        raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
    return real(name, *rest, **more)

builtins.__import__ = importing
for name in {MODULES!r}:
    importlib.import_module(name)
"""
    )


def test_importing_the_library_changes_nothing_of_its_host() -> None:
    run(
        """
import logging, os, signal
import torch
def state():
    names = ("", "torch", "numba", "PIL", "tifffile", "uvicorn")
    loggers = {name: logging.getLogger(name).level for name in names}
    return (
        torch.get_num_threads(), torch.get_default_dtype(), torch.is_grad_enabled(), dict(os.environ),
        os.getcwd(), loggers, list(logging.root.handlers), signal.getsignal(signal.SIGINT),
    )

before = state()
import patchloom
from patchloom import Inpainter, Mask, Photo, inpaint
from patchloom.formats import avif, bmp, gif, jpeg, png, tiff, webp
assert state() == before
"""
    )
