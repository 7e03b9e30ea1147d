"""Fill a hole with one call: Pillow pictures (or NumPy arrays) in, the same kind out.

    python examples/one_call.py demo/photo.jpg demo/mask.png filled.png

``composed.py`` and ``from_scratch.py`` make the same picture with more and more of the machinery in sight.
"""

import sys

from PIL import Image

from patchloom import inpaint


def main(photo_name: str, mask_name: str, output_name: str) -> None:
    photo, mask = Image.open(photo_name), Image.open(mask_name)
    filled = inpaint(photo, mask, preset="fast", content="patches", texture="none", seed=7)
    filled.save(output_name)


if __name__ == "__main__":
    main(*sys.argv[1:4])
