"""``patchloom weights``: which networks are there, fetching some, and adding files of one's own."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from patchloom.cli.interrupt import listening
from patchloom.cli.options import console_options
from patchloom.console import Console
from patchloom.errors import WeightsError
from patchloom.networks.remotes import REMOTES

if TYPE_CHECKING:
    from patchloom.networks.weights import WeightsFile


@click.group()
def command() -> None:
    """List, fetch, add, verify and remove networks.

    patchloom works with the networks that come with it and downloads nothing by itself. These can be fetched:
    VGG-19, the network of the original method (575 MB, of which 14 MB are kept), and two that know what things
    look like, LaMa (208 MB) and MI-GAN (28 MB), for --content.
    """


@command.command("list")
@console_options
def list_(console: Console) -> None:
    """List the networks that are installed."""
    from patchloom.networks.weights import installed

    rows = [
        (
            file.role,
            file.name,
            round(file.path.stat().st_size / 1e6, 2),
            "patchloom" if file.embedded else "fetched" if file.sha256 and file.name in REMOTES else "you",
            file.card().get("licence", ""),
        )
        for file in installed()
    ]
    console.table("Networks", ["role", "name", "MB", "from", "licence"], rows)


@command.command()
@click.argument("name", type=click.Choice(list(REMOTES)))
@click.option("--mirror", "mirrors", multiple=True, metavar="URL", help="Take the file from here instead.")
@click.option("--keep", is_flag=True, help="Keep the whole downloaded file as well.")
@console_options
def fetch(name: str, mirrors: tuple[str, ...], keep: bool, console: Console) -> None:
    """Download a network; run it again to go on where it stopped.

    Size and SHA-256 are checked. Behind a proxy set HTTPS_PROXY. Without a network, copy the file from another
    machine and give its path: `patchloom fill --texture vgg19-dcbb9e9d.pth ...`.
    """
    from patchloom.networks.download import fetch as fetch_network

    remote = REMOTES[name]
    console.say(f"{name}: {remote.size / 1e6:.0f} MB, {remote.licence}, from {(*mirrors, remote.mirrors[0])[0]}")
    path = listening(lambda observe: fetch_network(name, mirrors, observe, keep), console)
    console.say(f"Stored as {path}. Use it with --{remote.role} {name}.")
    if path.suffix == ".onnx" and find_spec("onnxruntime") is None:
        console.say("It needs onnxruntime: pip install 'patchloom[onnx]'")


@command.command()
@click.argument("file", metavar="FILE")
@click.option("--name", help="What to call it. [the file's name]")
@click.option("--trust", is_flag=True, help="Run a TorchScript file, which can do whatever you can.")
@console_options
def add(file: str, name: str | None, trust: bool, console: Console) -> None:
    """Install a content network of your own, FILE (.safetensors, .onnx or .pt), so that the page and the API can
    choose it by name.

    It is copied, once it has been tried on a plain picture, and its SHA-256 recorded.

    \b
    Example:
      patchloom weights add ~/.cache/torch/hub/checkpoints/big-lama.pt --name lama
    """
    from patchloom.networks.weights import add_content

    found = add_content(Path(file), name or Path(file).stem, trusted=trust)
    console.say(f"Stored as {found.path}. Use it with --content {found.name}.")


@command.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@console_options
def verify(names: tuple[str, ...], console: Console) -> None:
    """Check the files of all networks, or of those named, against their SHA-256."""
    rows = [
        (file.role, file.name, file.verify(), file.sha256 or "none recorded: a file of yours")
        for file in _named(names)
    ]
    console.table("Networks", ["role", "name", "state", "SHA-256"], rows)


@command.command()
@click.argument("name", required=False)
def path(name: str | None) -> None:
    """Print the file of a network, or the folder for fetched ones."""
    from patchloom.networks.weights import weights_folder

    for found in [file.path for file in _named((name,))] if name else [weights_folder()]:
        click.echo(found)


@command.command()
@click.argument("name")
@console_options
def remove(name: str, console: Console) -> None:
    """Delete a fetched network."""
    from patchloom.networks.weights import record_sum

    for file in _named((name,)):
        if file.embedded:
            raise WeightsError(
                f"'{name}' comes with patchloom and stays.", "Only fetched networks can be removed."
            )
        file.path.unlink()
        record_sum(file.path, None)
        console.say(f"Removed {file.path}.")


def _named(names: Sequence[str]) -> "list[WeightsFile]":
    """The installed files of these names, or all. Raises WeightsError for a name that is not installed."""
    from patchloom.networks.weights import installed

    files = installed()
    for name in names:
        if name not in {file.name for file in files}:
            known = ", ".join(file.name for file in files) or "none"
            raise WeightsError(f"There is no network '{name}' here.", f"Installed: {known}.")
    return [file for file in files if not names or file.name in names]
