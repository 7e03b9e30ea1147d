"""Whether the server takes an uploaded picture, read from its header without decoding a pixel.

The server's own process never decodes: it only asks here whether the worker should. Names and media types
sent by clients are not looked at.
"""

import io
from typing import Any, BinaryIO

from patchloom.errors import PhotoError
from patchloom.formats import Header, recognised
from patchloom.server.problems import Problem

LOOKED_AT = 1 << 16  # bytes


def check(file: BinaryIO, *, what: str, max_pixels: int, first_frame: bool = False) -> Header:
    """The header of ``file`` if the server will take it: raises Problem 413, 415 or 422 (animated)."""
    try:
        file.seek(0)
        header = recognised(file.read(512)).header(file)
    except PhotoError as error:
        raise Problem(415, "unsupported_format", f"The {what} {error}", error.advice) from error
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


def look(start: bytes) -> dict[str, Any]:
    """What the beginning of a file (64 KiB are enough) says of it: its format, empty with a reason where it is not
    taken, and whether it has several frames, as far as that can be seen. Raises Problem 413."""
    if len(start) > LOOKED_AT:
        raise Problem(413, "too_large", "That is more than a file's beginning.", f"Send {LOOKED_AT} bytes.")
    try:
        format = recognised(start)
    except PhotoError as error:
        return {"format": "", "several_frames": False, "reason": f"The file {error}"}
    try:
        frames = format.header(io.BytesIO(start)).frames
    except PhotoError:  # the size stands farther back
        frames = 1
    return {"format": format.name, "several_frames": frames > 1, "reason": ""}
