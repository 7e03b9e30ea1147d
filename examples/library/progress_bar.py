"""A progress bar of your own: an observer is called with everything that happens.

python examples/library/progress_bar.py photo.png mask.png filled.png
"""

import sys

from PIL import Image

from patchloom import inpaint
from patchloom.events import Event, FillDone, Step, Warned


def draw(event: Event) -> None:
    """One line on standard error, drawn over and over. Whatever an observer raises stops the fill."""
    match event:
        case Step(fraction=fraction):  # of the whole fill, 0..1; it never falls
            print(f"\r[{'#' * round(40 * fraction):40}] {fraction:4.0%}", end="", file=sys.stderr)
        case Warned(message=message):
            print(f"\n{message}", file=sys.stderr)
        case FillDone(seconds=seconds):
            print(f"\n{seconds:.1f} s", file=sys.stderr)


def main(photo_name: str, mask_name: str, output_name: str) -> None:
    photo, mask = Image.open(photo_name), Image.open(mask_name)
    inpaint(photo, mask, preset="fast", observe=draw).save(output_name)


if __name__ == "__main__":
    main(*sys.argv[1:4])
