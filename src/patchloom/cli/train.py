"""``patchloom train``: the networks' own trainers."""

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from patchloom.cli.interrupt import interruptions
from patchloom.cli.options import SectionedCommand, console_options, declared
from patchloom.console import Console
from patchloom.training.plan import ContentOptions, Plan, TextureOptions

if TYPE_CHECKING:
    import torch

    from patchloom.training.content import ContentTrainee

plan_options = declared(Plan, "plan", "Options")


@click.group()
def command() -> None:
    """Train the networks on photographs of your own."""


@command.command(cls=SectionedCommand)
@click.argument("photographs", nargs=-1, required=True, type=click.Path(path_type=Path))
@declared(ContentOptions, "options", "Network")
@plan_options
@console_options
def content(
    photographs: tuple[Path, ...],
    options: ContentOptions,
    plan: Plan,
    console: Console,
) -> None:
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
    from patchloom.training.data import open_photographs
    from patchloom.training.loop import train

    console = speaking(console)
    with interruptions() as token, console.listen() as listen:
        observe = token.guard(listen)

        def trainee(place: "torch.device") -> "ContentTrainee":
            return content_trainee(open_photographs(photographs, plan.store, observe), options, plan.seed, place)

        weights = train(trainee, plan, observe)
    console.say(f"Wrote {weights}")


@command.command(cls=SectionedCommand)
@click.argument("photographs", nargs=-1, required=True, type=click.Path(path_type=Path))
@declared(TextureOptions, "options", "Network")
@plan_options
@console_options
def texture(
    photographs: tuple[Path, ...],
    options: TextureOptions,
    plan: Plan,
    console: Console,
) -> None:
    """Distil VGG-19 into the compact texture network on PHOTOGRAPHS: folders, .tar or .zip files.

    What is written to --out can be used at once: patchloom fill --texture OUT/texture-compact.safetensors ...
    Ctrl-C stops after the current step and keeps everything for --resume.

    \b
    Example:
      patchloom train texture photos/ --minutes 30 -o runs/texture
    """
    from patchloom.training.data import open_photographs
    from patchloom.training.loop import train
    from patchloom.training.texture import TextureTrainee, open_teacher

    with interruptions() as token, console.listen() as listen:
        observe = token.guard(listen)
        pictures = open_photographs(photographs, plan.store, observe)
        weights = train(
            lambda place: TextureTrainee(
                pictures, open_teacher(options.teacher, place), options.data, plan.seed, place
            ),
            plan,
            observe,
        )
    console.say(f"Wrote {weights}")


def speaking(console: Console) -> Console:
    """``console``, silent in all of torchrun's processes but the first."""
    return console if os.environ.get("RANK", "0") == "0" else dataclasses.replace(console, quiet=True, json=False)
