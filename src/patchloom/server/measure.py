"""Whether the server takes an uploaded picture, read from its header without decoding a pixel.

The server's own process never decodes: it only asks here whether the worker should. Names and media types
sent by clients are not looked at.
"""

from typing import BinaryIO

from patchloom.errors import PhotoError
from patchloom.formats import Header, recognised
from patchloom.server.problems import Problem


def check(file: BinaryIO, *, what: str, max_pixels: int, first_frame: bool = False) -> Header:
    """The header of ``file`` if the server will take it: raises Problem 413, 415 or 422 (animated)."""
    try:
        file.seek(0)
        header = recognised(file.read(512)).header(file)
    except PhotoError as error:
        raise Problem(415, "unsupported_format", f"The {what} {error}", error.hint) from error
    if header.width * header.height > max_pixels:
        raise Problem(
            413,
            "too_many_pixels",
            f"The {what} has {header.width} x {header.height} pixels; at most {max_pixels / 1e6:g} megapixels are "
            "taken.",
            "Make it smaller, or start the server with a larger --max-megapixels.",
        )
    if header.frames > 1 and not first_frame:
        raise Problem(
            422,
            "several_frames",
            f"The {what} has more than one frame or page.",
            "Send first_frame=true to use one.",
        )
    return header
