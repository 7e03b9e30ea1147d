"""Builds a release and tries it as a stranger would: ``make release``.

Wheel and source distribution are built into dist/, the wheel once more from the unpacked source (both have equal
files), installed into a clean environment and tried there without a network: the demo's photograph is filled by
command line and library. SHA256SUMS is written beside them. The changelog has to have a section for the version,
with a date; ``--draft`` lets it be undated.
"""

import argparse
import hashlib
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from datetime import date
from pathlib import Path

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"
TRY = """
import socket
def refuse(*arguments, **keywords):
    raise OSError("a network was asked for")
socket.socket.connect = refuse
import numpy as np, patchloom
from importlib import resources
from PIL import Image
data = resources.files("patchloom") / "data"
photo = np.asarray(Image.open(data / "rocket.jpg"))
mask = np.asarray(Image.open(data / "rocket-mask.png").convert("L")) > 127
filled = patchloom.inpaint(photo, mask, preset="fast")
assert (filled != photo)[mask].any() and (filled == photo)[~mask].all()
print("patchloom", patchloom.__version__, "fills", filled.shape)
"""


def run(*command: object, **environment: str) -> None:
    subprocess.run([str(word) for word in command], check=True, cwd=ROOT, env=os.environ | environment)


def checked_version(draft: bool) -> str:
    """The package's version, if citation and changelog agree with it."""
    version = re.findall(r'__version__ = "(.+)"', (ROOT / "src/patchloom/__init__.py").read_text())[0]
    places = {
        "CITATION.cff": rf"version: {re.escape(version)}\n",
        "CHANGELOG.md": rf"## {re.escape(version)}" + ("" if draft else r", \d\d\d\d-\d\d-\d\d\n"),
    }
    for name, pattern in places.items():
        if not re.search(pattern, (ROOT / name).read_text()):
            today = date.today().isoformat()
            sys.exit(f"{name} does not name version {version} (the changelog's heading: ## {version}, {today}).")
    return version


def built(work: Path, version: str) -> tuple[Path, Path]:
    """The wheel and the source distribution, in dist/; the source builds the same wheel."""
    run(sys.executable, "-m", "build", "--outdir", DIST)
    wheel, sdist = DIST / f"patchloom-{version}-py3-none-any.whl", DIST / f"patchloom-{version}.tar.gz"
    with tarfile.open(sdist) as tar:
        tar.extractall(work, filter="data")
    run(sys.executable, "-m", "build", "--wheel", "--outdir", work / "again", work / f"patchloom-{version}")
    if contents(wheel) != contents(work / "again" / wheel.name):
        sys.exit("The wheel built from the source distribution has other files.")
    return wheel, sdist


def contents(wheel: Path) -> dict[str, int]:
    """File -> CRC of its content."""
    with zipfile.ZipFile(wheel) as file:
        return {item.filename: item.CRC for item in file.infolist()}


def try_out(wheel: Path, work: Path) -> None:
    """Installed into a clean environment; then without a network, from an empty folder."""
    environment = work / "environment"
    run(sys.executable, "-m", "venv", environment)
    python = environment / ("Scripts" if os.name == "nt" else "bin") / "python"
    constraints = ROOT / "constraints.txt"
    torch = next(line for line in constraints.read_text().split() if line.startswith("torch=="))
    run(python, "-m", "pip", "install", "--quiet", torch)  # by its name first: a local CPU wheel is then preferred
    run(python, "-m", "pip", "install", "--quiet", "--constraint", constraints, wheel)
    folder = work / "empty"
    folder.mkdir()
    quiet = {"PYTHONPATH": "", "PATCHLOOM_WEIGHTS": str(folder / "weights"), "HTTPS_PROXY": "http://127.0.0.1:9"}
    subprocess.run([python, "-c", TRY], check=True, cwd=folder, env=os.environ | quiet)
    command = [python, "-m", "patchloom", "demo", "--out", "demo", "--preset", "fast"]
    subprocess.run(command, check=True, cwd=folder, env=os.environ | quiet)
    subprocess.run([python, "-m", "patchloom", "doctor"], check=True, cwd=folder, env=os.environ | quiet)
    size = sum(path.stat().st_size for path in environment.rglob("*") if path.is_file() and not path.is_symlink())
    print(f"installed: {size / 1e6:.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draft", action="store_true", help="the changelog need not be dated yet")
    version = checked_version(parser.parse_args().draft)
    with tempfile.TemporaryDirectory() as folder:
        files = built(Path(folder), version)
        try_out(files[0], Path(folder))
    sums = "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files)
    (DIST / "SHA256SUMS").write_text(sums)
    print(sums, end="")


if __name__ == "__main__":
    main()
