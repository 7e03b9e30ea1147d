"""Which mask belongs to which photo, and what the result will be called.

A mask is one file for all photos, or one for each: the file of the same stem in the same place of the masks'
tree, with ``suffix`` appended to the stem where one is given (``scan7.tif`` and ``scan7_mask.png``). Whatever
would make two results share a name, or leave open which mask is meant, is refused before anything is filled.
"""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from posixpath import splitext

from patchloom.batch.folders import Found
from patchloom.errors import InputError
from patchloom.formats import ENDINGS, FORMATS, WRITTEN


@dataclass(frozen=True, slots=True)
class Pair:
    """One picture of a run: relative names. ``mask`` is empty where the photo has none."""

    photo: str
    mask: str
    output: str


@dataclass(frozen=True, slots=True)
class Naming:
    """How names belong together. ``single``: the one mask of all photos; ``format``: forced on all results."""

    single: str = ""
    suffix: str = ""
    format: str = ""

    def is_photo(self, name: str, masks_among_photos: bool) -> bool:
        path, ending = splitext(name)
        if ending.lower() not in ENDINGS:
            return False
        if not masks_among_photos:
            return True
        return name != self.single and not (self.suffix and _composed(path).endswith(_composed(self.suffix)))

    def mask_key(self, photo: str) -> str:
        """What a photo's mask is looked up by: its path without the ending."""
        return _composed(splitext(photo)[0] + self.suffix)

    def output(self, photo: str) -> str:
        """Its own name, or one with the ending of the format in which it is written."""
        stem, ending = splitext(photo)
        if self.format:
            return stem + FORMATS[self.format].suffixes[0]
        is_written = any(ending.lower() in FORMATS[name].suffixes for name in WRITTEN)
        return photo if is_written else stem + FORMATS["PNG"].suffixes[0]


@dataclass(frozen=True, slots=True)
class Pairing:
    """All clear pairs in the order of their names, why the others are not, and masks that no photo asked for."""

    pairs: list[Pair]
    conflicts: list[str] = field(default_factory=list)
    unused_masks: list[str] = field(default_factory=list)


def pair(photos: Iterable[Found], masks: Iterable[Found], naming: Naming, *, same_folder: bool = False) -> Pairing:
    """Pairs the photos with masks. ``same_folder``: photos and masks lie together, told apart by the suffix.

    A photo without a mask is paired with "". Photos in conflict are left out: two whose results would have one
    name (upper and lower case count as one, as on many disks), two that would take one mask, one with two masks.
    """
    names = [found.name for found in photos if naming.is_photo(found.name, same_folder)]
    by_stem = {} if naming.single else _by_stem(found.name for found in masks)
    candidates = [
        (name, [naming.single] if naming.single else by_stem.get(naming.mask_key(name), [])) for name in names
    ]
    takers, writers = Counter[str](), Counter[str]()
    for name, found in candidates:
        takers.update(found)
        writers[_composed(naming.output(name)).casefold()] += 1
    result = Pairing([])
    for name, found in candidates:
        output = naming.output(name)
        if len(found) > 1:
            result.conflicts.append(f"{name} has {len(found)} masks: {', '.join(found)}.")
        elif writers[_composed(output).casefold()] > 1:
            result.conflicts.append(f"{name} and another picture would both be written as {output}.")
        elif found and not naming.single and takers[found[0]] > 1:
            result.conflicts.append(
                f"{name} and another picture of that stem would both take the mask {found[0]}."
            )
        else:
            result.pairs.append(Pair(name, found[0] if found else "", output))
    claimed = set(takers) | (set(names) if same_folder else set())
    result.unused_masks.extend(sorted({name for group in by_stem.values() for name in group} - claimed))
    return result


def refuse_conflicts(pairing: Pairing) -> None:
    """Raises InputError if there is nothing to fill, or anything that is not clear."""
    if pairing.conflicts:
        others = f" There are {len(pairing.conflicts) - 1} more such cases." if len(pairing.conflicts) > 1 else ""
        raise InputError(pairing.conflicts[0] + others, "Rename or move one of them.")
    if not pairing.pairs:
        raise InputError("There is no picture in the folder.", "Add --recursive if they lie in folders below it.")


def _composed(name: str) -> str:
    """One spelling for one name: macOS writes an accent as a character of its own, others do not."""
    return unicodedata.normalize("NFC", name)


def _by_stem(names: Iterable[str]) -> dict[str, list[str]]:
    """Pictures by path without ending."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for name in names:
        path, ending = splitext(name)
        if ending.lower() in ENDINGS:
            groups[_composed(path)].append(name)
    return dict(groups)
