"""HEIC, by libheif through pillow-heif (the extra ``heif``); only read."""

import io

from patchloom.formats.avif import cicp_of
from patchloom.formats.boxes import header, meta_of, properties
from patchloom.formats.extra import required
from patchloom.formats.picture import Reading, Stored
from patchloom.formats.pillow import decoded

__all__ = ["decode", "header"]


def decode(data: bytes, reading: Reading) -> Stored:
    heif = required("pillow_heif", "heif", "an HEIC")
    # Auxiliary pictures (depth, gain maps) and thumbnails are never asked for.
    image = heif.HeifImageFile(io.BytesIO(data))
    first = image.tell()  # of a burst or a pair for both eyes one is the picture; it is opened, and is page 1
    pages = [first, *(number for number in range(image.n_frames) if number != first)]
    wanted = reading._replace(page=reading.page or 1)
    image.seek(pages[wanted.frame(image.n_frames, "an HEIC of several pictures")])
    if image.n_frames > 1:
        reading.leave_out("further pictures")
    found = properties(meta_of(io.BytesIO(data)))
    if any(kind == b"pixi" and len(body) > 5 and max(body[5:]) > 8 for kind, body in found):
        reading.say("This HEIC has more than 8 bits a sample; it is read with 8.")
    stored = decoded(image, reading, lossless=False)
    return stored.described(cicp=cicp_of(found))
