"""An endless source of tasks: the pictures that appear in a folder, once they are complete.

A file counts as complete when neither its size nor its time has changed for a while; a photo waits for its mask.
One that changes later, because a scanner paused or a scan was repeated, is filled again.
"""

import time
from collections.abc import Callable, Iterable, Iterator

from patchloom.batch.folders import Folder, Found
from patchloom.batch.journal import Known
from patchloom.batch.pairing import Naming, pair
from patchloom.batch.patterns import Others
from patchloom.batch.work import Task

SETTLED = 2.0
"""Seconds that a file must have stayed as it is."""

LOOK_EVERY = 1.0
"""Seconds between two looks at the folders."""


class Watch:
    """Iterates over tasks for complete, not yet filled pictures; None says: nothing just now.

    ``references``: the files that photos may take from, which ``others`` pairs with them; one that appears later
    has its photo filled again. ``known`` is what the journal says of earlier runs; the work itself finds out
    whether that still holds. Results of other origin are overwritten only with ``replace``. Pictures that are left
    alone, those whose names collide among them, are said once through ``complain``. ``clock``: seconds.
    """

    def __init__(
        self,
        photos: Callable[[], Iterator[Found]],
        masks: Callable[[], Iterator[Found]],
        naming: Naming,
        results: Folder,
        known: dict[str, Known],
        *,
        same_folder: bool = False,
        replace: bool = False,
        complain: Callable[[str], None] = lambda message: None,
        references: Callable[[], Iterator[Found]] = lambda: iter(()),
        others: Callable[[Iterable[Found]], Others | None] = lambda files: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._photos, self._masks, self._naming = photos, masks, naming
        self._references, self._others = references, others
        self._same, self._replace = same_folder, replace
        self._results, self._known, self._complain, self._clock = results, known, complain, clock
        self._seen: dict[str, tuple[Found, float]] = {}
        self._given: dict[str, tuple[Found, ...]] = {}
        self._said: set[str] = set()
        self._next_look = 0.0

    def __iter__(self) -> Iterator[Task | None]:
        while True:
            if self._clock() >= self._next_look:
                self._next_look = self._clock() + LOOK_EVERY
                yield from self.look()
            yield None

    def look(self) -> Iterator[Task]:
        """Tasks for what has become complete since the last look."""
        photos = {found.name: found for found in self._settled("photo", self._photos())}
        masks = {found.name: found for found in self._settled("mask", self._masks())}
        references = {found.name: found for found in self._settled("reference", self._references())}
        pairing = pair(
            photos.values(),
            masks.values(),
            self._naming,
            same_folder=self._same,
            others=self._others(references.values()),
        )
        for message in pairing.conflicts:
            self._say(message)
        for item in pairing.pairs:
            if item.mask not in masks:
                continue
            files = (photos[item.photo], masks[item.mask], *(references[name] for name in item.references))
            if self._given.get(item.photo) == files:
                continue
            fresh = self._results.find(item.output) is None
            if fresh or self._replace or item.output in self._known or item.photo in self._given:
                self._given[item.photo] = files
                yield Task(item, fresh=fresh, known=self._known.get(item.output, Known()))
            else:
                self._say(f"{item.output} exists already and is not this program's; {item.photo} is left alone.")

    def _settled(self, kind: str, files: Iterator[Found]) -> Iterator[Found]:
        """The files that have been the same for ``SETTLED`` seconds."""
        now = self._clock()
        for found in files:
            before, since = self._seen.get(kind + found.name, (None, now))
            if before != found:
                since = now
            self._seen[kind + found.name] = (found, since)
            if found.size and now - since >= SETTLED:
                yield found

    def _say(self, message: str) -> None:
        if message not in self._said:
            self._said.add(message)
            self._complain(message)
