"""``patchloom train``: the networks' own trainers."""

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from patchloom.cli.interrupt import interruptions
from patchloom.cli.options import SectionedCommand, console_options, declared
from patchloom.console import Console
from patchloom.settings import Checked
from patchloom.training.plan import ContentOptions, Plan, TextureOptions

if TYPE_CHECKING:
    import torch

    from patchloom.training.data import Photographs
    from patchloom.training.loop import Trainee


@click.group()
def command() -> None:
    """Train the networks on photographs of your own."""


def trainer(options: type[Checked]) -> Callable[[Callable[..., Any]], click.Command]:
    """A command that trains what ``options`` say; it gets ``photographs``, ``options``, ``plan``, ``console``."""
    photographs = click.argument("photographs", nargs=-1, required=True, type=click.Path(path_type=Path))
    network, length = declared(options, "options"), declared(Plan, "plan")

    def adding(function: Callable[..., Any]) -> click.Command:
        return command.command(cls=SectionedCommand)(photographs(network(length(console_options(function)))))

    return adding


@trainer(ContentOptions)
def content(photographs: tuple[Path, ...], options: ContentOptions, plan: Plan, console: Console) -> None:
    """Train a content network on PHOTOGRAPHS: folders, .tar or .zip files.

    What is written to --out can be used at once: patchloom fill --content OUT/content-default.safetensors ...
    Ctrl-C stops after the current step and keeps everything for --resume.

    \b
    Examples:
      patchloom train content photos/ more.tar --minutes 60 -o runs/content
      patchloom train content photos/ --minutes 90 -o runs/content --resume
      torchrun --nproc-per-node 4 -m patchloom train content photos/ --size large --minutes 30 -o runs/content
    """
    from patchloom.training.content import content_trainee

    _train(
        photographs, plan, console, lambda pictures, place: content_trainee(pictures, options, plan.seed, place)
    )


@trainer(TextureOptions)
def texture(photographs: tuple[Path, ...], options: TextureOptions, plan: Plan, console: Console) -> None:
    """Distil VGG-19 into the compact texture network on PHOTOGRAPHS: folders, .tar or .zip files.

    What is written to --out can be used at once: patchloom fill --texture OUT/texture-compact.safetensors ...
    Ctrl-C stops after the current step and keeps everything for --resume.

    \b
    Example:
      patchloom train texture photos/ --minutes 30 -o runs/texture
    """
    from patchloom.training.texture import TextureTrainee, open_teacher

    def make(pictures: "Photographs", place: "torch.device") -> TextureTrainee:
        return TextureTrainee(pictures, open_teacher(options.teacher, place), options.data, plan.seed, place)

    _train(photographs, plan, console, make)


def _train(
    photographs: tuple[Path, ...],
    plan: Plan,
    console: Console,
    make: "Callable[[Photographs, torch.device], Trainee]",
) -> None:
    """Trains what ``make`` gives for the photographs; in all of torchrun's processes but the first silently."""
    from patchloom.training.data import open_photographs
    from patchloom.training.loop import train

    if os.environ.get("RANK", "0") != "0":
        console = dataclasses.replace(console, quiet=True, json=False)
    with interruptions() as token, console.listen() as listen:
        observe = token.guard(listen)
        weights = train(
            lambda place: make(open_photographs(photographs, plan.store, observe), place), plan, observe
        )
    console.say(f"Wrote {weights}")
