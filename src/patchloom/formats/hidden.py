"""Pictures inside of values that should only describe, told by how they begin or by how text is made of them."""

import re

SMALL = 256
"""Bytes; no picture that shows anything is smaller."""

_FILES = (  # how pictures in a longer value begin and end
    rb"\xff\xd8\xff[\xc0-\xfe].*?(?:\xff\xd9|$)",
    rb"\x89PNG\r\n\x1a\n.*?(?:IEND.{4}|$)",
    rb"GIF8[79]a.*?(?:\x00;|$)",
    rb"RIFF.{4}WEBP.*",
    rb".{4}ftyp(?:avi|hei|he[vi]|mif).*",
)
_PICTURE = re.compile(b"|".join(_FILES), re.DOTALL)
_CODED = re.compile(rb"[A-Za-z0-9+/=_-]{400,}")  # base64 and hexadecimal, without the ends of lines
_LINES = b"\r\n\t\0"  # zeros: of text with 16 bits a character
_LEAST = 10  # different characters; fewer draw a line


def holds_picture(value: bytes) -> bool:
    """Whether a file of a picture lies in it, as it is or coded as text."""
    if len(value) <= SMALL:
        return False
    if _PICTURE.search(value):
        return True
    return any(len(set(run)) >= _LEAST for run in _CODED.findall(value.translate(None, _LINES)))


def blanked(value: bytes) -> bytes:
    """Zeros for every picture in it: the previews in maker notes, which no directory points to."""
    return _PICTURE.sub(lambda found: bytes(len(found.group())), value)
