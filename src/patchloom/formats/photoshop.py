"""Photoshop's image resources, as JPEG and TIFF carry them, without those that hold pictures."""

from patchloom.formats.hidden import SMALL, holds_picture

_IPTC, _PROFILE = 0x0404, 0x040F
_PATHS = range(2000, 2999)
_THUMBNAILS = (0x0409, 0x040C)
_PREVIEWS = ((2, 200), (2, 201), (2, 202))  # record and number of IPTC's own
_CAPTIONS = range(1, 7)  # IPTC's records that describe; those behind them hold the object itself


def without_pictures(resources: bytes) -> tuple[bytes, bool]:
    """The resources that are kept (captions, paths, small ones), and whether more than a thumbnail was not."""
    kept, position, more = b"", 0, False
    while resources[position : position + 4] == b"8BIM" and position + 12 <= len(resources):
        number = int.from_bytes(resources[position + 4 : position + 6], "big")
        name = 1 + resources[position + 6]
        start = position + 6 + name + name % 2
        length = int.from_bytes(resources[start : start + 4], "big")
        end = start + 4 + length + length % 2
        body = resources[start + 4 : start + 4 + length]
        if number == _IPTC:
            words, lost = captions(body)
            more |= lost
            head = resources[position:start] + len(words).to_bytes(4, "big")
            kept += resources[position:end] if words == body else head + words + bytes(len(words) % 2)
        elif number == _PROFILE or _describes(number, body):
            kept += resources[position:end]
        else:
            more |= number not in _THUMBNAILS
        position = end
    return kept, more or bool(resources[position:].strip(b"\0"))


def captions(datasets: bytes) -> tuple[bytes, bool]:
    """IPTC without its previews, and whether more than these was not kept."""
    kept, position, more = b"", 0, False
    while datasets[position : position + 1] == b"\x1c" and position + 5 <= len(datasets):
        record, number = datasets[position + 1 : position + 3]
        start = position + 5
        length = int.from_bytes(datasets[position + 3 : start], "big")
        if length & 0x8000:  # of that many bytes the length itself
            more_bytes = length & 0x7FFF
            length = int.from_bytes(datasets[start : start + more_bytes], "big")
            start += more_bytes
        end = start + length
        if (record, number) in _PREVIEWS:
            pass
        elif record in _CAPTIONS and not holds_picture(datasets[start:end]):
            kept += datasets[position:end]
        else:
            more = True
        position = end
    rest = datasets[position:]
    return (kept, True) if len(rest.strip(b"\0")) > SMALL else (kept + rest, more)


def _describes(number: int, body: bytes) -> bool:
    small = len(body) <= SMALL and number not in _THUMBNAILS
    return small or (number in _PATHS and not holds_picture(body))
