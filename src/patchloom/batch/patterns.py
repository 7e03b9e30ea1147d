"""Which other pictures a photo may take from: by a pattern of their names.

In a pattern ``{stem}`` is the photo's place and name without its ending, ``*`` anything but a slash and ``?`` one
character: ``refs/{stem}-*.jpg``, ``refs/{stem}/*``. Without ``{stem}`` the pictures are every photo's. A folder
stands for the pictures in it that have the photo's stem, as masks have.
"""

import re
import unicodedata
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from posixpath import splitext

from patchloom.errors import InputError
from patchloom.formats import ENDINGS

STEM = "{stem}"
_SPECIAL = re.compile(r"[*?{]")


@dataclass(frozen=True, slots=True)
class Pattern:
    """Of names relative to a folder; ``per_photo``: the stem stands between ``before`` and ``after``."""

    before: str
    after: str = ""
    per_photo: bool = False

    def takers(self, name: str, stems: Container[str]) -> list[str]:
        """Those of the photos' ``stems`` that make the pattern ``name``."""
        lengths = range(len(name) + 1)
        begins = [len(self.before)] if _is_plain(self.before) else lengths
        ends = [len(name) - len(self.after)] if _is_plain(self.after) else lengths
        before, after = _expression(self.before), _expression(self.after)
        starts = [begin for begin in begins if before.fullmatch(name[:begin])]
        stops = [end for end in ends if end >= 0 and after.fullmatch(name[end:])] if starts else []
        cuts = {name[begin:end] for begin in starts for end in stops if begin < end}
        return sorted(cut for cut in cuts if cut in stems)

    def fits(self, name: str) -> bool:
        """Whether it is a name of those that belong to every photo."""
        return not self.per_photo and _expression(self.before).fullmatch(name) is not None


@dataclass(frozen=True, slots=True)
class Others:
    """The pictures that a pattern may name; whether they lie in the photos' folder, or the masks'."""

    pattern: Pattern
    names: frozenset[str] = frozenset()
    among_photos: bool = False
    among_masks: bool = False

    def by_photo(self, photos: Iterable[str]) -> "Taken":
        """Which of them belong to which of the ``photos``; a picture that is another's is no photo itself."""
        photos = list(photos)
        spelt = {composed(name): name for name in sorted(self.names)}
        if not self.pattern.per_photo:
            everybody = tuple(name for spelling, name in spelt.items() if self.pattern.fits(spelling))
            own = set(photos) if self.among_photos else set()
            found = {
                photo: tuple(name for name in everybody if name != photo) if photo in own else everybody
                for photo in photos
            }
            return Taken(photos, found, [])
        stems = {stem_of(photo) for photo in photos}
        by_stem: dict[str, list[str]] = {}
        claimed, unused = set(), []
        for spelling, name in spelt.items():
            own_stem = stem_of(name) if self.among_photos else ""
            takers = [stem for stem in self.pattern.takers(spelling, stems) if stem != own_stem]
            for stem in takers:
                by_stem.setdefault(stem, []).append(name)
            if takers:
                claimed.add(name)
            elif not self.among_photos:
                unused.append(name)
        left = [photo for photo in photos if not (self.among_photos and photo in claimed)]
        return Taken(left, {photo: tuple(by_stem.get(stem_of(photo), ())) for photo in left}, unused)


@dataclass(frozen=True, slots=True)
class Taken:
    """The photos that are left, the references of each, and pictures that fit no photo."""

    photos: list[str]
    references: dict[str, tuple[str, ...]]
    unused: list[str]


def parted(text: str) -> tuple[str, Pattern]:
    """The folder in a pattern's address, and the pattern of names in it.

    Raises InputError for one whose ``{stem}`` comes twice, or that has another word in braces.
    """
    if text.count("{") != text.count(STEM) or text.count("}") != text.count(STEM) or text.count(STEM) > 1:
        raise InputError(
            f"'{text}' is no pattern for references.",
            "Give a folder, or names with {stem} once, such as refs/{stem}-*.jpg.",
        )
    found = _SPECIAL.search(text)
    if found is None:
        folder, _, name = text.rpartition("/")
        if splitext(name)[1].lower() in ENDINGS:
            return folder or ".", Pattern(composed(name))
        return text, Pattern("", ".*", per_photo=True)
    cut = text.rfind("/", 0, found.start()) + 1
    before, stem, after = composed(text[cut:]).partition(STEM)
    return text[:cut] or ".", Pattern(before, after, bool(stem))


def pictures(names: Iterable[str]) -> Iterator[str]:
    """Those whose ending is a picture's."""
    return (name for name in names if splitext(name)[1].lower() in ENDINGS)


def stem_of(name: str) -> str:
    """The path without the ending, in one spelling."""
    return composed(splitext(name)[0])


def composed(name: str) -> str:
    """One spelling for one name: macOS writes an accent as a character of its own, others do not."""
    return unicodedata.normalize("NFC", name)


def _is_plain(text: str) -> bool:
    return "*" not in text and "?" not in text


def _expression(text: str) -> re.Pattern[str]:
    """The regular expression of a part of a pattern; Python keeps compiled ones."""
    return re.compile(
        "".join({"*": "[^/]*", "?": "[^/]"}.get(letter) or re.escape(letter) for letter in text), re.S
    )
