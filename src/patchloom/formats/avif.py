"""AVIF, by Pillow: 8 bit, colour and alpha."""

import io

from PIL import AvifImagePlugin

from patchloom.errors import Unsupported
from patchloom.events import Warned
from patchloom.formats.boxes import header
from patchloom.formats.picture import Reading, Stored
from patchloom.formats.pillow import decoded, encoded

__all__ = ["decode", "encode", "header"]

NEW_QUALITY = 90  # the format does not record the quality it was coded with


def decode(data: bytes, reading: Reading) -> Stored:
    image = AvifImagePlugin.AvifImageFile(io.BytesIO(data))
    if image.n_frames > 1:
        raise Unsupported("is an animated AVIF.", "Save the frame you want as a plain picture first.")
    coding = data.find(b"av1C")
    if coding >= 0 and data[coding + 6] & 0x40:
        reading.observe(Warned(message="This AVIF has more than 8 bits a sample; it is read and written with 8."))
    return decoded(image, lossless=False)


def encode(picture: Stored, same: bool, quality: int | None) -> bytes:
    del same
    return encoded(picture, "AVIF", quality=quality or NEW_QUALITY, subsampling="4:4:4")
