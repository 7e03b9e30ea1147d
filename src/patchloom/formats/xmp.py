"""An XMP packet without what carries or announces a picture: thumbnails, originals, depth and gain maps, films.

Properties of known namespaces are kept, byte for byte; all others, and values longer than any text, are cut out.
A packet that is no well-formed XML is left out whole.
"""

import re
from xml.parsers import expat

from patchloom.formats.hidden import holds_picture

_LONGEST = 2**14  # characters of a value that is text
_NAMESPACES = {  # the usual prefix of each that describes
    "x": "adobe:ns:meta/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "xml": "http://www.w3.org/XML/1998/namespace",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xap": "http://ns.adobe.com/xap/1.0/",
    "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
    "xapRights": "http://ns.adobe.com/xap/1.0/rights/",
    "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
    "xapMM": "http://ns.adobe.com/xap/1.0/mm/",
    "xmpBJ": "http://ns.adobe.com/xap/1.0/bj/",
    "xmpTPg": "http://ns.adobe.com/xap/1.0/t/pg/",
    "stRef": "http://ns.adobe.com/xap/1.0/sType/ResourceRef#",
    "stEvt": "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#",
    "stVer": "http://ns.adobe.com/xap/1.0/sType/Version#",
    "stJob": "http://ns.adobe.com/xap/1.0/sType/Job#",
    "stDim": "http://ns.adobe.com/xap/1.0/sType/Dimensions#",
    "stArea": "http://ns.adobe.com/xmp/sType/Area#",
    "pdf": "http://ns.adobe.com/pdf/1.3/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "crs": "http://ns.adobe.com/camera-raw-settings/1.0/",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "exifEX": "http://cipa.jp/exif/1.0/",
    "aux": "http://ns.adobe.com/exif/1.0/aux/",
    "lr": "http://ns.adobe.com/lightroom/1.0/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "plus": "http://ns.useplus.org/ldf/xmp/1.0/",
    "cc": "http://creativecommons.org/ns#",
    "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/",
    "mwg-kw": "http://www.metadataworkinggroup.com/schemas/keywords/",
    "digiKam": "http://www.digikam.org/ns/1.0/",
    "MicrosoftPhoto": "http://ns.microsoft.com/photo/1.0/",
    "MP": "http://ns.microsoft.com/photo/1.2/",
    "MPRI": "http://ns.microsoft.com/photo/1.2/t/RegionInfo#",
    "MPReg": "http://ns.microsoft.com/photo/1.2/t/Region#",
    "GPano": "http://ns.google.com/photos/1.0/panorama/",
    "acdsee": "http://ns.acdsee.com/iptc/1.0/",
    "GIMP": "http://www.gimp.org/xmp/",
    "avm": "http://www.communicatingastronomy.org/avm/1.0/",
    "darktable": "http://darktable.sf.net/",
}
_KNOWN = frozenset(_NAMESPACES.values())
_PICTURES = frozenset(("Thumbnails", "Thumbnail"))  # properties of known namespaces that hold pictures
_TAG = re.compile(rb"<[^\s/>]+((?:\s+[^\s=>]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*)\s*/?>")
_ATTRIBUTE = re.compile(rb"\s+([^\s=>]+)\s*=\s*(\"[^\"]*\"|'[^']*')")


def without_pictures(packet: bytes) -> tuple[bytes, bool]:
    """The packet without what is not kept, and whether that was more than a thumbnail."""
    if not packet.strip(b"\0 \r\n\t"):
        return b"", False
    if b"<!DOCTYPE" in packet or b"<!ENTITY" in packet:
        return b"", True
    reader = Reader(packet)
    try:
        packet.decode()
        reader.parser.Parse(packet.rstrip(b"\0"), True)
    except (expat.ExpatError, UnicodeDecodeError, ValueError):
        return b"", True
    return joined(packet, reader.cuts), reader.more


def joined(packet: bytes, cuts: list[tuple[int, int]]) -> bytes:
    """What of ``packet`` is not in one of ``cuts``."""
    kept, position = b"", 0
    for start, stop in sorted(cuts):
        kept += packet[position : max(start, position)]
        position = max(stop, position)
    return kept + packet[position:]


class Reader:
    """Finds where in a packet the parts lie that are not kept."""

    def __init__(self, packet: bytes) -> None:
        self.cuts: list[tuple[int, int]] = []
        self.more = False
        self.packet = packet
        self._spaces: list[dict[str, str]] = [{}]
        self._open: list[tuple[int, bool]] = []  # where each open element begins, and whether it is cut
        self._text: list[str] = []
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.parser.CommentHandler = self._comment

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        declared = {key[6:]: value for key, value in attributes.items() if key.startswith("xmlns:")}
        self._spaces.append(self._spaces[-1] | declared)
        is_cut = not self._is_kept(name)
        self.more |= is_cut and name.partition(":")[2] not in _PICTURES
        at = self.parser.CurrentByteIndex
        self._open.append((at, is_cut))
        self._text = []
        if not is_cut:
            self._cut_attributes(at, attributes)

    def _cut_attributes(self, at: int, attributes: dict[str, str]) -> None:
        gone = {
            key.encode()
            for key, value in attributes.items()
            if not key.startswith("xmlns") and (not self._is_kept(key) or _is_no_text(value))
        }
        if gone and (tag := _TAG.match(self.packet, at)):
            found = _ATTRIBUTE.finditer(self.packet, *tag.span(1))
            self.cuts += [attribute.span() for attribute in found if attribute.group(1) in gone]
            self.more = True

    def _end(self, name: str) -> None:
        start, is_cut = self._open.pop()
        self._spaces.pop()
        if is_cut or _is_no_text("".join(self._text)):
            self.more |= not is_cut
            self.cuts.append((start, self.end_of(start)))
        self._text = []

    def end_of(self, start: int) -> int:
        """Behind the element that began at ``start`` and ends here."""
        tag = _TAG.match(self.packet, start)
        if tag is None:
            raise ValueError("no tag")
        if tag.group().endswith(b"/>"):
            return tag.end()
        return self.packet.index(b">", self.parser.CurrentByteIndex) + 1

    def _characters(self, text: str) -> None:
        self._text.append(text)

    def _comment(self, text: str) -> None:
        at = self.parser.CurrentByteIndex
        self.cuts.append((at, self.packet.index(b"-->", at) + 3))

    def _is_kept(self, name: str) -> bool:
        prefix, colon, local = name.partition(":")
        if not colon:
            return True  # an element or attribute of no namespace, as rdf:about is written by some
        space = self._spaces[-1].get(prefix, _NAMESPACES.get(prefix, ""))
        return space in _KNOWN and local not in _PICTURES


def _is_no_text(value: str) -> bool:
    return len(value) > _LONGEST or holds_picture(value.encode())
