"""Nothing of a picture that is no longer shown stays in the file, wherever writers are known to put it."""

import base64
import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
import tifffile
from PIL import Image

from patchloom import Photo
from patchloom.errors import Unsupported
from patchloom.events import Event, Warned
from patchloom.formats import hidden, photoshop, xmp

SECRET = b"SECRETPICTURE" * 40
"""Longer than what small values are kept for."""

RGB = np.add.outer(np.arange(40) * 3, np.arange(56) * 2)[..., None].astype(np.uint8) * np.ones(3, np.uint8)
XMP = b"http://ns.adobe.com/xap/1.0/\0"
RDF = b"http://www.w3.org/1999/02/22-rdf-syntax-ns#"


def plain(format: str) -> bytes:
    target = io.BytesIO()
    Image.fromarray(RGB).save(target, format)
    return target.getvalue()


def with_segment(marker: int, body: bytes) -> bytes:
    data = plain("JPEG")
    return data[:2] + bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body + data[2:]


def with_chunk(kind: bytes, body: bytes) -> bytes:
    data = plain("PNG")
    at = data.index(b"IDAT") - 4
    chunk = struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return data[:at] + chunk + data[at:]


def with_tag(code: int, value: bytes) -> bytes:
    target = io.BytesIO()
    tags = [(code, 7, len(value), value, True)]
    tifffile.imwrite(target, RGB, photometric="rgb", extratags=tags, metadata=None)
    return target.getvalue()


def packet(inner: bytes) -> bytes:
    return (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="'
        + RDF
        + b'">'
        + inner
        + b"</rdf:RDF></x:xmpmeta>"
    )


def exif_with(entries: list[tuple[int, int, bytes]]) -> bytes:
    """A little-endian block of one directory; values behind it."""
    head = b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries))
    at = 8 + 2 + 12 * len(entries) + 4
    body = b""
    for code, kind, value in entries:
        count = len(value) // {1: 1, 4: 4, 7: 1}[kind]
        inline = value.ljust(4, b"\0") if len(value) <= 4 else struct.pack("<I", at + len(body))
        head += struct.pack("<HHI", code, kind, count) + inline
        body += value if len(value) > 4 else b""
    return head + bytes(4) + body


def thumbnail_in_first_directory() -> bytes:
    place = 8 + 2 + 2 * 12 + 4
    entries = [(513, 4, struct.pack("<I", place)), (514, 4, struct.pack("<I", len(SECRET)))]
    return exif_with(entries) + SECRET


def raw_profile(key: bytes, block: bytes) -> bytes:
    text = b"\n%s\n%8d\n" % (key, len(block)) + block.hex().encode() + b"\n"
    return b"Raw profile type " + key + b"\0\0" + zlib.compress(text)


def resource(number: int, body: bytes = SECRET) -> bytes:
    return b"8BIM" + struct.pack(">HHI", number, 0, len(body)) + body + bytes(len(body) % 2)


def thumbnail_first() -> bytes:
    """A TIFF whose first directory is a thumbnail, and the picture the second."""
    target = io.BytesIO()
    small = np.frombuffer(SECRET[:192], np.uint8).reshape(8, 8, 3)
    with tifffile.TiffWriter(target) as writer:
        writer.write(small, photometric="rgb", subfiletype=1, metadata=None)
        writer.write(RGB, photometric="rgb", metadata=None)
    return target.getvalue()


def described(inner: bytes) -> bytes:
    return packet(b"<rdf:Description>" + inner + b"</rdf:Description>")


def with_exif(block: bytes) -> bytes:
    return with_segment(0xE1, b"Exif\0\0" + block)


def with_xmp(body: bytes) -> bytes:
    return with_segment(0xE1, XMP + body)


MAKER_NOTE = b"NIKON\0\xff\xd8\xff\xe0" + SECRET + b"\xff\xd9"
THUMBNAIL = b"<xmp:Thumbnails rdf:parseType='Resource'>" + SECRET + b"</xmp:Thumbnails>"
PACKED = b"XML:com.adobe.xmp\0\1\0\0\0"
RAW_EXIF = raw_profile(b"exif", b"Exif\0\0" + thumbnail_in_first_directory())

PICTURE = plain("JPEG") + SECRET
IN_TEXT = b"data:image/jpeg;base64," + base64.encodebytes(PICTURE)
PREVIEW = b"\x1c\2\xca" + struct.pack(">H", len(SECRET)) + SECRET  # IPTC's 2:202

HIDDEN: dict[str, Callable[[], bytes]] = {
    "Photoshop layers": lambda: with_tag(37724, b"Adobe Photoshop Document Data Block\0" + SECRET),
    "unknown TIFF tag": lambda: with_tag(65000, SECRET),
    "TIFF resources": lambda: with_tag(34377, resource(0x040C)),
    "TIFF XMP": lambda: with_tag(700, described(b"<GImage:Data>" + SECRET + b"</GImage:Data>")),
    "reduced page": thumbnail_first,
    "JFXX thumbnail": lambda: with_segment(0xE0, b"JFXX\0\x10" + SECRET),
    "EXIF thumbnail in the first directory": lambda: with_exif(thumbnail_in_first_directory()),
    "EXIF private tag": lambda: with_exif(exif_with([(51000, 7, SECRET)])),
    "maker note with a JPEG": lambda: with_exif(exif_with([(37500, 7, MAKER_NOTE)])),
    "extended XMP": lambda: with_segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + b"A" * 40 + SECRET),
    "xap thumbnail": lambda: with_xmp(b"<xap:Thumbnails>" + SECRET + b"</xap:Thumbnails>"),
    "thumbnail with an attribute": lambda: with_xmp(described(THUMBNAIL)),
    "XMP attribute": lambda: with_xmp(packet(b'<rdf:Description GDepth:Data="' + SECRET + b'"/>')),
    "XMP text longer than any": lambda: with_xmp(described(b"<dc:title>" + SECRET * 40 + b"</dc:title>")),
    "XMP comment": lambda: with_xmp(packet(b"<!--" + SECRET + b"-->")),
    "FlashPix": lambda: with_segment(0xE2, b"FPXR\0\0" + SECRET),
    "Scalado": lambda: with_segment(0xE4, b"SCALADO\0" + SECRET),
    "unknown segment": lambda: with_segment(0xE7, SECRET),
    "JPEG resources": lambda: with_segment(0xED, b"Photoshop 3.0\0" + resource(0x0409)),
    "resource of a plug-in": lambda: with_segment(0xED, b"Photoshop 3.0\0" + resource(4000)),
    "behind the picture": lambda: plain("JPEG") + SECRET,
    "raw profile": lambda: with_chunk(b"zTXt", RAW_EXIF),
    "raw profile of resources": lambda: with_chunk(b"zTXt", raw_profile(b"8bim", resource(0x040C))),
    "compressed XMP": lambda: with_chunk(b"iTXt", PACKED + zlib.compress(described(THUMBNAIL))),
    "unknown chunk": lambda: with_chunk(b"prVt", SECRET),
    "text that is a picture": lambda: with_chunk(b"zTXt", b"scene\0\0" + zlib.compress(IN_TEXT)),
    "comment that is a picture": lambda: with_segment(0xFE, PICTURE.hex().encode()),
    "caption that is a picture": lambda: with_exif(exif_with([(0x010E, 1, IN_TEXT + b"\0")])),
    "user comment with a picture": lambda: with_exif(exif_with([(0x9286, 7, b"ASCII\0\0\0" + PICTURE)])),
    "tag of text that is a picture": lambda: with_tag(37510, IN_TEXT),
    "XMP text that is a picture": lambda: with_xmp(described(b"<dc:title>" + IN_TEXT + b"</dc:title>")),
    "preview in IPTC": lambda: with_segment(0xED, b"Photoshop 3.0\0" + resource(0x0404, PREVIEW)),
    "preview in a TIFF's IPTC": lambda: with_tag(33723, PREVIEW),
    "layers of an editor": lambda: with_chunk(b"mkBS", SECRET),
    "long text": lambda: with_chunk(b"tEXt", b"thumbnail\0" + SECRET * 600),
    "behind IEND": lambda: plain("PNG") + SECRET,
}  # fmt: skip


def unpacked(data: bytes) -> bytes:
    """The file, and everything in it that inflates."""
    out, position = data, 0
    while (position := data.find(b"\x78", position + 1)) > 0:
        try:
            out += zlib.decompressobj().decompress(data[position:], 2**22)
        except zlib.error:
            continue
    return out


@pytest.mark.parametrize("place", HIDDEN)
@pytest.mark.parametrize("format", [None, "PNG", "TIFF", "JPEG"])
def test_what_was_hidden_in_a_file_is_gone(place: str, format: str | None) -> None:
    data = HIDDEN[place]()
    saved = Photo.open(data).encode(format)
    found = unpacked(saved)
    coded = base64.b64encode(PICTURE)
    for trace in (b"SECRETPICTURE", b"SECRETPICTURE".hex().encode(), coded[:60], coded[-60:]):
        assert trace not in found.replace(b"\n", b"")
    with Image.open(io.BytesIO(saved)) as image:
        assert image.size == (56, 40)


UNSAID = ("TIFF resources", "JPEG resources", "raw profile", "compressed XMP", "XMP comment", "behind IEND")
UNSAID += ("maker note with a JPEG", "preview in IPTC", "preview in a TIFF's IPTC")
"""Thumbnails and comments go without a word."""


@pytest.mark.parametrize("place", [name for name in HIDDEN if "thumbnail" not in name and name not in UNSAID])
def test_what_is_more_than_a_thumbnail_is_said_once(place: str) -> None:
    said: list[Event] = []
    Photo.open(HIDDEN[place](), observe=said.append)
    assert sum("Not kept" in event.message for event in said if isinstance(event, Warned)) == 1


def test_a_gain_map_is_dropped_and_no_longer_announced() -> None:
    announced = packet(
        b"<rdf:Description hdrgm:Version='1.0' dc:title='kept'>"
        b"<Container:Directory><Container:Item Item:Semantic='GainMap'/></Container:Directory></rdf:Description>"
    )
    data = with_segment(0xE1, XMP + announced) + plain("JPEG")
    said: list[Event] = []
    saved = Photo.open(data, observe=said.append).encode()
    assert b"hdrgm" not in saved and b"Container" not in saved and b"dc:title='kept'" in saved
    assert saved.count(b"\xff\xd9") == 1
    assert any("further pictures" in event.message for event in said if isinstance(event, Warned))


def test_a_packet_of_nothing_but_description_keeps_its_bytes() -> None:
    whole = (
        b"<?xpacket begin='' id='W5M0'?>"
        + packet(
            b"<rdf:Description xmlns:my='http://ns.adobe.com/photoshop/1.0/' my:City='A &amp; B' rdf:about=''>"
            b"<dc:subject><rdf:Bag><rdf:li>one</rdf:li></rdf:Bag></dc:subject></rdf:Description>"
        )
        + b"  \n<?xpacket end='w'?>"
    )
    assert xmp.without_pictures(whole) == (whole, False)


@pytest.mark.parametrize(
    "bad", [b"<a><b></a>", b"<!DOCTYPE x [<!ENTITY a 'b'>]><x/>", b"\xff\xfe<\0a\0/\0>\0", b"<a>\xff</a>"]
)
def test_a_packet_that_cannot_be_read_is_left_out(bad: bytes) -> None:
    assert xmp.without_pictures(bad) == (b"", True)


@pytest.mark.parametrize(
    "words",
    [
        b"A photograph of a street, taken in the evening. " * 40,
        b"parameters: masterpiece, 8k\nSteps: 20, Seed: 123456789, Model hash: 6ce0161689, Size: 512x512\n" * 9,
        b'{"nodes": [{"id": 1, "class_type": "KSampler", "inputs": {"seed": 5, "steps": 20}}]}' * 30,
        b"=" * 600,
        "\u8857\u8fb9\u7684\u732b".encode() * 200,
    ],
)
def test_what_people_and_programs_write_is_text(words: bytes) -> None:
    assert not hidden.holds_picture(words)
    caption = b"\x1c\2\x78" + struct.pack(">H", len(words)) + words
    assert photoshop.captions(caption + b"\0\0") == (caption + b"\0\0", False)


def test_curves_that_look_like_a_picture_are_kept() -> None:
    curve = np.arange(768, dtype=np.uint16) * 256 + 255
    assert curve.tobytes().find(b"\xff\xd8\xff\xd9") > 0
    target = io.BytesIO()
    tifffile.imwrite(
        target, RGB, photometric="rgb", extratags=[(301, 3, 768, curve.tolist(), True)], metadata=None
    )
    assert curve.tobytes() in Photo.open(target.getvalue()).encode()


def test_the_thumbnail_of_a_picture_in_a_directory_below_is_not_filled_for_it() -> None:
    target = io.BytesIO()
    with tifffile.TiffWriter(target) as writer:
        writer.write(RGB[::4, ::4], photometric="rgb", subifds=1, metadata=None)
        writer.write(RGB, photometric="rgb", metadata=None)
    with pytest.raises(Unsupported, match="behind a thumbnail"):
        Photo.open(target.getvalue())


def test_unknown_chunks_hold_no_picture_together() -> None:
    data = plain("PNG")
    at = data.index(b"IDAT") - 4
    for start in range(0, len(SECRET), 40):
        body = b"abcd" + SECRET[start : start + 40]
        chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
        data = data[:at] + chunk + data[at:]
    assert Photo.open(data).encode().count(b"abcd") < 8
