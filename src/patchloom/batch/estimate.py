"""What a run would do and how long it would take, found by doing a little of it.

Pairs come from the names alone. Photos and masks are read and checked as the run will do it, a sample of them
where there are many. The time is measured: a few pictures with small, middling and large holes are filled here and
thrown away.
"""

import random
import statistics
import time
from dataclasses import dataclass

from patchloom.batch.order import Batch
from patchloom.batch.pairing import Pair, Pairing
from patchloom.errors import PatchloomError

LOOKED_AT = 1000
"""Pairs that are read at most, and"""

SECONDS = 60.0
"""for how long."""

PROBES = (0.25, 0.5, 0.75)
"""Pictures that are filled, by where their hole's size stands among all."""


@dataclass(frozen=True, slots=True)
class Row:
    """A pair and the share of its hole, 0..1; ``problem`` says why the run will not fill it."""

    pair: Pair
    share: float = 0.0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Estimate:
    """``rows``: the pairs that were looked at, of ``pictures`` in all. ``seconds`` 0: nothing was measured."""

    pictures: int
    without_mask: int
    rows: list[Row]
    workers: int
    threads: int
    seconds_each: float
    seconds: float


def estimate(batch: Batch, pairing: Pairing) -> Estimate:
    """A dry run of ``pairing``: nothing is written."""
    masked = [item for item in pairing.pairs if item.mask]
    rows: list[tuple[int, Row]] = []
    until = time.monotonic() + SECONDS
    for item in random.Random(0).sample(masked, min(len(masked), LOOKED_AT)):
        if time.monotonic() > until:
            break
        try:
            hole = batch.work.prepared(item, *_files(batch, item)).hole
            rows.append((int(hole.hole.sum()), Row(item, hole.share)))
        except PatchloomError as error:
            rows.append((0, Row(item, problem=str(error))))
    rows.sort(key=lambda row: row[1].pair.photo)
    workers, share = batch.crew(len(masked))
    by_size = [row.pair for _, row in sorted(rows, key=lambda entry: entry[0]) if not row.problem]
    each = _seconds_each(batch, [by_size[int(part * len(by_size))] for part in PROBES] if by_size else [])
    return Estimate(
        pictures=len(pairing.pairs),
        without_mask=len(pairing.pairs) - len(masked),
        rows=[row for _, row in rows],
        workers=workers,
        threads=share.threads,
        seconds_each=each,
        seconds=each * len(masked) / workers,
    )


def _seconds_each(batch: Batch, probes: list[Pair]) -> float:
    """The mean time of the probes, after one fill that loads the networks; 0 where none could be filled."""
    _, share = batch.crew(0)
    times = []
    for item in [*probes[:1], *probes]:
        started = time.perf_counter()
        try:
            others = batch.work.others(item)
            batch.work.fill(item, *_files(batch, item), share, room="all", others=others)
        except PatchloomError:
            continue
        times.append(time.perf_counter() - started)
    return statistics.mean(times[1:]) if len(times) > 1 else 0.0


def _files(batch: Batch, item: Pair) -> tuple[bytes, bytes]:
    return batch.photos.read(item.photo), batch.masks.read(item.mask)
