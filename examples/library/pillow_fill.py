"""Pillow: fill what is transparent in a cut-out picture.

python examples/library/pillow_fill.py cutout.png filled.png
"""

import sys

from PIL import Image, ImageChops

from patchloom import inpaint


def main(photo_name: str, output_name: str) -> None:
    photo = Image.open(photo_name).convert("RGBA")
    transparent = ImageChops.invert(photo.getchannel("A"))  # white is filled
    filled: Image.Image = inpaint(photo.convert("RGB"), transparent, preset="fast")
    filled.save(output_name)


if __name__ == "__main__":
    main(*sys.argv[1:3])
