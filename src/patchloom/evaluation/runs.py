"""Cases x methods -> pictures on disk. Nothing is scored here, so that a new metric needs no new fill.

A run's folder::

    cases/IMAGE--HOLE/truth.png hole.png      what was to be filled
    fills/IMAGE--HOLE/METHOD.png              what came of it
    results.jsonl                             one line a fill: seconds, memory, or why there is none

A fill is finished if ``results.jsonl`` has it for the same picture, hole and method, and of ours for the same
settings, weights and version; it is not made again. One that failed is tried again. With several jobs, methods run
beside each other and slow each other down: take seconds from runs with one job.
"""

import contextlib
import hashlib
import json
import re
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from patchloom.arrays import Bytes
from patchloom.errors import InputError, MaskError, PatchloomError
from patchloom.evaluation.holes import make_hole
from patchloom.evaluation.peers import Method
from patchloom.evaluation.worker import Fill, Worker
from patchloom.events import CaseDone, Observer, ignore
from patchloom.formats.picture import to_eight_bit
from patchloom.mask import Mask
from patchloom.outputs import read_records
from patchloom.photo import Photo


@dataclass(frozen=True)
class Case:
    """A picture with a hole, stored in the run's folder."""

    image: str
    hole: str  # the spec that made it, or the name of its folder
    folder: Path
    digest: str  # of truth and hole

    @property
    def name(self) -> str:
        return self.folder.name

    def truth(self) -> Bytes:
        """(H, W, 3) uint8."""
        return _pixels(Photo.open(self.folder / "truth.png"))

    def mask(self) -> NDArray[np.bool_]:
        return Mask.open(self.folder / "hole.png", mode="white").hole


@dataclass(frozen=True)
class Result:
    """One line of results.jsonl."""

    image: str
    hole: str
    method: str
    spec: str
    digest: str
    seconds: float
    peak_mb: float
    error: str = ""
    recipe: str = ""  # see Peer.recipe


def prepare_cases(images: Sequence[Path], holes: Sequence[str], out: Path, *, seed: int = 0) -> list[Case]:
    """Stores every picture with every hole under ``out``. Photographs become 8-bit RGB.

    Raises PatchloomError for a picture that cannot be read and a hole that cannot be made, and InputError for two
    pictures of one name.
    """
    stems = [image.stem for image in images]
    if twice := sorted({stem for stem in stems if stems.count(stem) > 1}):
        raise InputError(f"Two pictures are called '{twice[0]}'.", "Give them different names.")
    cases = []
    for image in images:
        truth = _pixels(Photo.open(image))
        for spec in holes:
            hole = _hole(spec, image.stem, truth, seed)
            folder = out / "cases" / f"{image.stem}--{re.sub(r'[^A-Za-z0-9.,-]+', '-', Path(spec).name)}"
            folder.mkdir(parents=True, exist_ok=True)
            digest = hashlib.sha256(truth.tobytes() + np.packbits(hole).tobytes() + str(truth.shape).encode())
            case = Case(image.stem, spec, folder, digest.hexdigest()[:16])
            if not _is_stored(case):
                Photo.from_array(truth).save(folder / "truth.png", force=True)
                (folder / "hole.png").write_bytes(Mask.from_array(hole).encode())
                (folder / "digest").write_text(case.digest)
            cases.append(case)
    return cases


def _is_stored(case: Case) -> bool:
    path = case.folder / "digest"
    return path.exists() and path.read_text() == case.digest


def _hole(spec: str, stem: str, truth: Bytes, seed: int) -> NDArray[np.bool_]:
    height, width = truth.shape[:2]
    if not Path(spec).is_dir():
        return make_hole(spec, width, height, seed=seed, name=stem)
    path = next((path for path in sorted(Path(spec).iterdir()) if path.stem == stem), None)
    if path is None:
        raise MaskError(f"The folder '{spec}' has no mask called '{stem}'.", "Masks bear their pictures' names.")
    hole = Mask.open(path).hole
    if hole.shape != (height, width) or not hole.any() or hole.all():
        raise MaskError(
            f"The mask '{path}' does not fit '{stem}'.", f"It must be {width}x{height}, part of it hole."
        )
    return hole


def _pixels(photo: Photo) -> Bytes:
    """(H, W, 3) uint8 of any photograph; transparency is left out."""
    pixels = to_eight_bit(photo.pixels)
    return np.ascontiguousarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)))


def fill_path(out: Path, case: Case, method: str) -> Path:
    return out / "fills" / case.name / f"{method}.png"


def read_results(out: Path) -> dict[tuple[str, str], Result]:
    """{(case's digest, method's name): its last result}. Half a line (a run that was killed) is skipped."""
    results: dict[tuple[str, str], Result] = {}
    for record in read_records(out / "results.jsonl"):
        with contextlib.suppress(TypeError):  # of another version
            result = Result(**record)
            results[result.digest, result.method] = result
    return results


def finished_before(cases: Sequence[Case], methods: Sequence[Method], out: Path) -> list[Method]:
    """Methods of earlier calls, not among ``methods``, that have finished every case and would make the same fills
    today: they stay in the report."""
    known = read_results(out)
    found: dict[str, list[Result]] = {}
    for case in cases:
        for (digest, name), result in known.items():
            if digest == case.digest and not result.error and fill_path(out, case, name).exists():
                found.setdefault(name, []).append(result)
    named = {method.name for method in methods}
    kept = []
    for name, results in found.items():
        method = Method(name, results[-1].spec)
        if name not in named and len(results) == len(cases) and _as_today(method, results):
            kept.append(method)
    return kept


def _as_today(method: Method, results: Sequence[Result]) -> bool:
    try:
        recipe = method.peer().recipe
    except PatchloomError:  # a peer that is not there any more
        return False
    return all((result.spec, result.recipe) == (method.spec, recipe) for result in results)


def run(
    cases: Sequence[Case],
    methods: Sequence[Method],
    out: Path,
    *,
    jobs: int = 1,
    time_limit: float = 600.0,
    observe: Observer = ignore,
) -> dict[tuple[str, str], Result]:
    """Makes the fills that are missing; returns all results, failed ones too. ``observe`` sees CaseDone."""
    known = read_results(out)
    lock, of = threading.Lock(), len(cases) * len(methods)
    done = 0

    def note(case: Case, result: Result, *, fresh: bool) -> None:
        nonlocal done
        with lock:
            done += 1
            if fresh:
                known[case.digest, result.method] = result
                with (out / "results.jsonl").open("a") as file:
                    file.write(json.dumps(asdict(result)) + "\n")
            name = f"{result.method}: {case.name}"
            observe(CaseDone(name=name, done=done, of=of, seconds=result.seconds, error=result.error))

    def one_method(method: Method) -> None:
        recipe = method.peer().recipe

        def is_finished(case: Case) -> bool:
            old = known.get((case.digest, method.name))
            same = old is not None and not old.error and (old.spec, old.recipe) == (method.spec, recipe)
            return same and fill_path(out, case, method.name).exists()

        with Worker(method, time_limit) as worker:
            for case in cases:
                if is_finished(case):
                    note(case, known[case.digest, method.name], fresh=False)
                else:
                    note(case, _fill(worker, case, out, recipe), fresh=True)

    with ThreadPoolExecutor(max(1, jobs)) as pool:
        try:
            for _ in pool.map(one_method, methods):
                pass
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return {key: known[key] for key in _keys(cases, methods)}


def results_of(cases: Sequence[Case], methods: Sequence[Method], out: Path) -> dict[tuple[str, str], Result]:
    """What is recorded of these, failed ones too: {(case's digest, method's name): result}."""
    known = read_results(out)
    return {key: known[key] for key in _keys(cases, methods)}


def _keys(cases: Sequence[Case], methods: Sequence[Method]) -> Iterator[tuple[str, str]]:
    return ((case.digest, method.name) for case in cases for method in methods)


def _fill(worker: Worker, case: Case, out: Path, recipe: str) -> Result:
    truth, hole, method = case.truth(), case.mask(), worker.method
    fill: Fill = worker.fill(np.where(hole[..., None], np.uint8(0), truth), hole)  # nothing of the truth leaks
    if fill.picture is not None:
        path = fill_path(out, case, method.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        Photo.from_array(fill.picture).save(path, force=True)
    return Result(
        case.image,
        case.hole,
        method.name,
        method.spec,
        case.digest,
        round(fill.seconds, 4),
        round(fill.peak_mb, 1),
        fill.error,
        recipe,
    )
