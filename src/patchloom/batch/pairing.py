"""Which mask belongs to which photo, and what the result will be called.

A mask is one file for all photos, or one for each: the file of the same stem in the same place of the masks'
tree, with ``suffix`` appended to the stem where one is given (``scan7.tif`` and ``scan7_mask.png``). Whatever
would make two results share a name, or leave open which mask is meant, is refused before anything is filled.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from posixpath import splitext

from patchloom.batch.folders import Found
from patchloom.batch.patterns import Others, composed
from patchloom.errors import InputError
from patchloom.formats import ENDINGS, FORMATS, WRITTEN

ANNOTATIONS = frozenset({".json"})
"""Endings of masks that are no pictures."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One picture of a run: relative names. ``mask`` is empty where the photo has none; ``references`` are other
    pictures that it may take from."""

    photo: str
    mask: str
    output: str
    references: tuple[str, ...] = ()


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
        return name != self.single and not (self.suffix and composed(path).endswith(composed(self.suffix)))

    def mask_key(self, photo: str) -> str:
        """What a photo's mask is looked up by: its path without the ending."""
        return composed(splitext(photo)[0] + self.suffix)

    def output(self, photo: str) -> str:
        """Its own name, or one with the ending of the format in which it is written."""
        stem, ending = splitext(photo)
        if self.format:
            return stem + FORMATS[self.format].suffixes[0]
        is_written = any(ending.lower() in FORMATS[name].suffixes for name in WRITTEN)
        return photo if is_written else stem + FORMATS["PNG"].suffixes[0]


@dataclass(frozen=True, slots=True)
class Pairing:
    """All clear pairs in the order of their names, why the others are not, and masks and references that no photo
    asked for."""

    pairs: list[Pair]
    conflicts: list[str] = field(default_factory=list)
    unused_masks: list[str] = field(default_factory=list)
    unused_references: list[str] = field(default_factory=list)


def pair(
    photos: Iterable[Found],
    masks: Iterable[Found],
    naming: Naming,
    *,
    same_folder: bool = False,
    others: Others | None = None,
) -> Pairing:
    """Pairs the photos with masks. ``same_folder``: photos and masks lie together, told apart by the suffix.
    Without one, annotations alone are masks. ``others``: pictures that may be references of some of them.

    A photo without a mask is paired with "". Photos in conflict are left out: two whose results would have one
    name (upper and lower case count as one, as on many disks), two that would take one mask, one with two masks.
    """
    names = [found.name for found in photos if naming.is_photo(found.name, same_folder)]
    endings = ANNOTATIONS if same_folder and not naming.suffix else ENDINGS | ANNOTATIONS
    by_stem = {} if naming.single else _by_stem((found.name for found in masks), endings)
    if others is not None:
        marks = set()  # which are no references
        if others.among_masks:
            marks = {mask for name in names for mask in by_stem.get(naming.mask_key(name), ())} | {naming.single}
        taken = replace(others, names=others.names - marks).by_photo(names)
        result = pair_names(taken.photos, by_stem, naming, same_folder)
        pairs = [replace(item, references=taken.references[item.photo]) for item in result.pairs]
        used = {name for item in pairs for name in item.references} if others.among_masks else set()
        unused = [name for name in result.unused_masks if name not in used]
        return replace(result, pairs=pairs, unused_masks=unused, unused_references=taken.unused)
    return pair_names(names, by_stem, naming, same_folder)


def pair_names(names: list[str], by_stem: dict[str, list[str]], naming: Naming, same_folder: bool) -> Pairing:
    """:func:`pair` of photos' names and of masks by what they are looked up by."""
    candidates = [
        (name, [naming.single] if naming.single else by_stem.get(naming.mask_key(name), [])) for name in names
    ]
    takers, writers = Counter[str](), Counter[str]()
    for name, found in candidates:
        takers.update(found)
        writers[composed(naming.output(name)).casefold()] += 1
    result = Pairing([])
    for name, found in candidates:
        output = naming.output(name)
        if len(found) > 1:
            result.conflicts.append(f"{name} has {len(found)} masks: {', '.join(found)}.")
        elif writers[composed(output).casefold()] > 1:
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


def _by_stem(names: Iterable[str], endings: frozenset[str]) -> dict[str, list[str]]:
    """Files that end so, by path without ending."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for name in names:
        path, ending = splitext(name)
        if ending.lower() in endings:
            groups[composed(path)].append(name)
    return dict(groups)
