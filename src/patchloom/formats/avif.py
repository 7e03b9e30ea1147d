"""AVIF, by Pillow: 8 bit, colour and alpha; what colours they are (nclx) is kept beside the profile."""

import io
import struct
from dataclasses import replace

from PIL import AvifImagePlugin

from patchloom.errors import PhotoError
from patchloom.formats.boxes import boxes, header, meta_of, properties
from patchloom.formats.picture import Cicp, Reading, Stored
from patchloom.formats.pillow import decoded, encoded

__all__ = ["decode", "encode", "header"]

NEW_QUALITY = 90  # the format does not record the quality it was coded with
_NCLX = b"colrnclx"


def decode(data: bytes, reading: Reading) -> Stored:
    image = AvifImagePlugin.AvifImageFile(io.BytesIO(data))
    image.seek(reading.frame(image.n_frames, "an animated AVIF"))
    if image.n_frames > 1:
        reading.leave_out("further frames")
    meta = meta_of(io.BytesIO(data))
    found = properties(meta)
    if any(kind == b"av1C" and len(body) > 2 and body[2] & 0x40 for kind, body in found):
        reading.say("This AVIF has more than 8 bits a sample; it is read and written with 8.")
    if any(kind == b"iinf" and b"tmap" in body for kind, body in boxes(meta[4:])):
        reading.leave_out("a gain map")
    stored = _cropped(decoded(image, reading, lossless=False), found, reading)
    return stored.described(cicp=cicp_of(found))


def _cropped(stored: Stored, found: list[tuple[bytes, bytes]], reading: Reading) -> Stored:
    """What is shown of a picture whose ``clap`` property hides the rest; libavif decodes all of it."""
    clap = next((struct.unpack(">IIIIiIiI", body[:32]) for kind, body in found if kind == b"clap"), None)
    if clap is None:
        return stored
    wide, high, right, down = (over / under for over, under in zip(clap[::2], clap[1::2], strict=True))
    height, width = stored.samples.shape[:2]
    left, top = round((width - wide) / 2 + right), round((height - high) / 2 + down)
    place = slice(top, top + round(high)), slice(left, left + round(wide))
    if not (0 <= left < left + round(wide) <= width and 0 <= top < top + round(high) <= height):
        raise PhotoError("is damaged.", "Copy it again from where it came.")
    if (round(high), round(wide)) != (height, width):
        reading.say("This AVIF holds more than it shows (clap); what it does not show is left out.")
    return replace(
        stored, samples=stored.samples[place], alpha=None if stored.alpha is None else stored.alpha[place]
    )


def encode(picture: Stored, same: bool, quality: int | None) -> bytes:
    del same
    data = encoded(picture, "AVIF", quality=quality or NEW_QUALITY, subsampling="4:4:4")
    place = data.find(_NCLX)
    if picture.metadata.cicp is None or place < 0:
        return data
    # What matrix and range the encoder chose stays; whose red and which curve it is, it cannot be told.
    place += len(_NCLX)
    return data[:place] + struct.pack(">HH", *picture.metadata.cicp) + data[place + 4 :]


def cicp_of(found: list[tuple[bytes, bytes]]) -> Cicp | None:
    """What colours the first ``colr`` property of kind nclx names; None where there is none, or nothing in it."""
    body = next((body for kind, body in found if kind == b"colr" and body[:4] == b"nclx"), b"")
    if len(body) < 8:
        return None
    colours = Cicp(*struct.unpack(">HH", body[4:8]))
    return None if colours == (2, 2) else colours
