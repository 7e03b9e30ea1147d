"""``patchloom train``: the networks' own trainers."""

import dataclasses
import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from patchloom.cli.interrupt import interruptions
from patchloom.cli.options import console_options
from patchloom.console import Console
from patchloom.errors import SettingsError

if TYPE_CHECKING:
    from patchloom.training.loop import Plan


@click.group()
def command() -> None:
    """Train the networks on photographs of your own."""


def plan_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """What every training asks for: where to, how long, from where. The command gets it as ``plan``."""

    @functools.wraps(function)
    def planned(*args: Any, out: Path, **given: Any) -> Any:
        from patchloom.training.loop import Plan

        names = [item.name for item in dataclasses.fields(Plan) if item.name != "folder"]
        plan = Plan(folder=out, **{name: given.pop(name) for name in names})
        return function(*args, plan=plan, **given)

    command: Callable[..., Any] = planned
    options = (
        click.option(
            "-o",
            "--out",
            type=click.Path(file_okay=False, path_type=Path),
            required=True,
            help="Folder for checkpoints, weights, log and sample sheets.",
        ),
        click.option(
            "--minutes", type=float, help="End after this much running time; the learning rate ends with it."
        ),
        click.option("--steps", type=int, help="End after this many steps instead."),
        click.option("--resume", is_flag=True, help="Go on from the checkpoint in --out."),
        click.option(
            "--start",
            type=click.Path(dir_okay=False, path_type=Path),
            help="Begin from these weights, with a new learning rate.",
        ),
        click.option(
            "--checkpoint-minutes", type=float, default=5, show_default=True, help="Between two checkpoints."
        ),
        click.option(
            "--seed", type=int, default=0, show_default=True, help="Of batches, holes and first weights."
        ),
        click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N."),
        click.option(
            "--store",
            type=click.Path(file_okay=False, path_type=Path),
            help="Folder for the decoded photographs (1.6 GB for 28,000).  [in the user's cache]",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


@command.command()
@click.argument("photographs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--network",
    type=click.Choice(["default", "paper"]),
    default="default",
    show_default=True,
    help="default: any hole. paper: a centred square, as Yang et al. 2017.",
)
@click.option(
    "--size",
    type=click.Choice(["small", "large"]),
    default="small",
    show_default=True,
    help="Of the default network: small for a processor, large for a graphics card.",
)
@click.option("--adversarial", is_flag=True, help="The paper's second loss, a discriminator (paper only).")
@click.option(
    "--width", type=click.IntRange(1), default=512, show_default=True, help="Paper: dense bottleneck (4000 there)."
)
@click.option(
    "--channels", type=click.IntRange(1), default=32, show_default=True, help="Paper: first layer (64 there)."
)
@click.option(
    "--batch", type=click.IntRange(0), default=0, help="Photographs in a batch.  [128; large 512; paper 64]"
)
@click.option(
    "--data", default="", help="Whose photographs these are and under which licence, for the model card."
)
@plan_options
@console_options
def content(
    photographs: tuple[Path, ...],
    network: Literal["default", "paper"],
    size: Literal["small", "large"],
    adversarial: bool,
    width: int,
    channels: int,
    batch: int,
    data: str,
    plan: "Plan",
    store: Path | None,
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
    if adversarial and network != "paper":
        raise SettingsError("--adversarial is for the paper's network.", "Add --network paper.")
    from patchloom.training.content import ContentOptions, content_task
    from patchloom.training.data import open_photographs
    from patchloom.training.loop import train

    options = ContentOptions(
        network=network,
        size=size,
        adversarial=adversarial,
        width=width,
        channels=channels,
        batch=batch,
        seed=plan.seed,
        data=data,
    )
    console = speaking(console)
    with interruptions() as token, console.listen() as listen:
        observe = token.guard(listen)
        weights = train(
            lambda place: content_task(open_photographs(photographs, store, observe), options, place),
            plan,
            observe,
        )
    console.say(f"Wrote {weights}")


@command.command()
@click.argument("photographs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--teacher",
    default="vgg19",
    show_default=True,
    help="VGG-19 to learn from: vgg19 (`patchloom weights fetch vgg19`) or a weights file.",
)
@click.option(
    "--data", default="", help="Whose photographs these are and under which licence, for the model card."
)
@plan_options
@console_options
def texture(
    photographs: tuple[Path, ...],
    teacher: str,
    data: str,
    plan: "Plan",
    store: Path | None,
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
    from patchloom.training.texture import TextureTask, open_teacher

    with interruptions() as token, console.listen() as listen:
        observe = token.guard(listen)
        pictures = open_photographs(photographs, store, observe)
        weights = train(
            lambda place: TextureTask(pictures, open_teacher(teacher, place), data, plan.seed, place),
            plan,
            observe,
        )
    console.say(f"Wrote {weights}")


def speaking(console: Console) -> Console:
    """``console``, silent in all of torchrun's processes but the first."""
    return console if os.environ.get("RANK", "0") == "0" else dataclasses.replace(console, quiet=True, json=False)
