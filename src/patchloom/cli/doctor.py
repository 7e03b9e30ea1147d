"""``patchloom doctor``: everything a report of a problem should start with, on one screen."""

import importlib.metadata
import platform
from collections.abc import Iterator

import click

from patchloom import __version__
from patchloom.cli.options import console_options
from patchloom.console import Console
from patchloom.errors import PatchloomError, as_flag, as_hint
from patchloom.formats import FORMATS, WRITTEN

_PACKAGES = ("torch", "numpy", "numba", "scipy", "pillow", "imagecodecs", "tifffile", "safetensors")
_EXTRAS = {
    "web": ("fastapi", "uvicorn"),
    "eval": ("matplotlib", "scikit-image"),
    "cluster": ("distributed", "fsspec"),
    "metrics": ("prometheus-client",),
    "heif": ("pillow-heif",),
    "jxl": ("pillow-jxl-plugin",),
    "align": ("opencv-contrib-python-headless",),
    "onnx": ("onnxruntime",),
}

_WITHOUT_CUDA = "pip uninstall -y torch triton; pip install torch --index-url https://download.pytorch.org/whl/cpu"

Row = tuple[str, str, str]


@click.command()
@console_options
@click.pass_context
def command(context: click.Context, console: Console) -> None:
    """Show versions, devices, codecs, weights and memory; exit 1 if something does not work."""
    rows = [*_versions(), *_machine(), *_codecs(), *_weights()]
    console.table("", ["", "what", "found"], rows)
    if any(mark == "BAD" for mark, _, _ in rows):
        context.exit(1)


def _versions() -> Iterator[Row]:
    yield "ok", "patchloom", f"{__version__}, Python {platform.python_version()}, {platform.platform()}"
    for name in _PACKAGES:
        found = _version(name)
        yield "ok" if found else "BAD", name, found or f"missing: pip install {name}"
    for extra, names in _EXTRAS.items():
        missing = [name for name in names if not _version(name)]
        found = ", ".join(f"{name} {_version(name)}" for name in names)
        yield "-" if missing else "ok", f"extra {extra}", f"pip install 'patchloom[{extra}]'" if missing else found


def _machine() -> Iterator[Row]:
    import torch

    from patchloom.resources import processors

    yield (
        "ok",
        "cpu",
        f"{platform.processor() or platform.machine()}, {processors()} cores, {torch.get_num_threads()} threads",
    )
    if torch.cuda.is_available():
        yield "ok", "cuda", torch.cuda.get_device_name()
    elif torch.version.cuda:
        yield "-", "cuda", f"no card for PyTorch's CUDA build; the other saves 4 GB: {_WITHOUT_CUDA}"
    else:
        yield "-", "cuda", "none"
    mps = torch.backends.mps.is_available()
    yield "ok" if mps else "-", "mps", "available" if mps else "none"
    yield "ok", "memory", _memory()


def _memory() -> str:
    """Of the machine and what is free, in MB."""
    from patchloom.resources import free_mb, total_mb

    return f"{total_mb()} MB, {free_mb()} MB free"


def _codecs() -> Iterator[Row]:
    """Each format is written and read once: what is listed works."""
    import numpy as np

    from patchloom.photo import Photo

    small = Photo.from_array(np.full((16, 16, 3), 128, np.uint8))
    deep = Photo.from_array(np.full((16, 16, 3), 40000, np.uint16))
    for format in WRITTEN:
        depths = [8, 16] if "uint16" in FORMATS[format].depths else [8]
        try:
            for photo in (small, deep)[: len(depths)]:
                Photo.open(photo.encode(format))
        except Exception as error:  # a codec that is not built in can fail in any way
            yield "BAD", format, str(error)
        else:
            yield "ok", format, "reads and writes " + " and ".join(f"{depth} bit" for depth in depths)


def _weights() -> Iterator[Row]:
    from patchloom.networks.weights import default_network, installed, weights_folder

    for file in installed():
        try:
            state = file.verify()
        except PatchloomError as error:
            yield "BAD", f"{file.role} {file.name}", f"{error} {as_hint(error.advice, as_flag)}"
        else:
            where = "embedded" if file.embedded else str(file.path)
            yield "ok", f"{file.role} {file.name}", f"{file.path.stat().st_size / 1e6:.1f} MB, {state}, {where}"
    defaults = (f"{role} {default_network(role) or 'none'}" for role in ("texture", "content"))
    yield "ok", "default networks", ", ".join(defaults)
    yield "ok", "weights folder", str(weights_folder())


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""
