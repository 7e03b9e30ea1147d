"""The page's pure modules, each with its tests in page/, by Node's own runner."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

NODE = shutil.which("node")
TESTS = sorted((Path(__file__).parent / "page").glob("*.test.mjs"))


def _old() -> bool:
    """Whether Node takes the page's modules, which end in .js, for something else."""
    said = subprocess.run([str(NODE), "--version"], capture_output=True, text=True, check=True).stdout
    major, minor = map(int, re.findall(r"\d+", said)[:2])
    return (major, minor) < (20, 19)


@pytest.mark.skipif(NODE is None or _old(), reason="Node 20.19 or newer is not installed")
@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.name.removesuffix(".test.mjs"))
def test_modules(file: Path) -> None:
    command = [str(NODE), "--no-warnings", "--test-reporter=spec", "--test", str(file)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stdout + ran.stderr
