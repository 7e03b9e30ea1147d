"""The two doors: :func:`inpaint` for one call, :class:`Inpainter` to keep the networks between calls.

Photograph and mask in, the same photograph with its hole filled out. Works window by window (``windows.py``) in
the photograph's own RGB; hole pixels are put back at full depth, everything else is returned bit for bit.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Unpack

import numpy as np

from patchloom import __version__, windows
from patchloom.arrays import Bools, Floats
from patchloom.donors import Donors
from patchloom.errors import MaskError, SettingsError
from patchloom.events import FillDone, FillStarted, Observer, Warned, aloud, ignore
from patchloom.formats.picture import Samples, full_scale
from patchloom.formats.regions import without_covered
from patchloom.kinds import AnyMask, AnyPicture, as_mask, as_photo, as_rgb, of_kind, same_kind
from patchloom.mask import Mask
from patchloom.method.coarse import CoarseFill, coarse_fill
from patchloom.method.neural import NeuralStage
from patchloom.method.progress import Listener, Progress, Tally
from patchloom.method.pyramid import Level
from patchloom.method.synthesis import synthesise
from patchloom.networks.weights import default_network, load_texture
from patchloom.overrides import FillOverrides
from patchloom.photo import Photo
from patchloom.references import Reference, as_reference, take_over
from patchloom.remnants import with_remnants
from patchloom.resources import peak_mb, processors
from patchloom.settings import PRESETS, FillSettings, Preset, RunSettings, fill_settings
from patchloom.tensors.border import device_named
from patchloom.tensors.compiled import first_time
from patchloom.tensors.compose import composite, rim_weights
from patchloom.tensors.modes import own_modes
from patchloom.tensors.threads import mapped, working
from patchloom.transparency import Layer, continued, finite, missing_of, of_visible, over
from patchloom.wrapping import wrapped

LARGE_SHARE = 0.33  # of the photograph; a hole above this is warned of


@dataclass(frozen=True)
class FillResult:
    """The filled photograph, and a JSON-able account of how: enough to repeat the run."""

    photo: Photo
    report: dict[str, Any]

    def _repr_png_(self) -> bytes:
        return self.photo._repr_png_()


class Inpainter:
    """Fills holes; networks are loaded on first use and kept. Several threads may use one.

    While it fills, torch computes on one thread and the fill has ``run.threads`` of its own; afterwards nothing of
    either is left.
    """

    def __init__(self, run: RunSettings | None = None) -> None:
        self.run = run or RunSettings()
        self.device = device_named(self.run.device)

    @own_modes()
    def inpaint(
        self,
        photo: Photo,
        mask: Mask,
        settings: FillSettings = PRESETS["balanced"],
        *,
        source: Mask | None = None,
        coarse: Photo | None = None,
        references: Sequence[Reference] = (),
        observe: Observer = ignore,
    ) -> FillResult:
        """``photo`` with ``mask`` filled.

        ``references``: what those of the same scene show of the hole is taken over, in the photo's exposure;
        texture is copied from the others (``settings.align``). ``source``: texture may come only from where it is
        True. ``coarse``: a picture of the same size by any other tool, which is followed instead of
        ``settings.content``. ``observe`` gets the events and stops the fill by raising. Raises MaskError (does
        not fit, covers all, too little known), WeightsError, SettingsError, BudgetError, Cancelled.
        """
        begun = time.perf_counter()
        listener = Listener(observe, begun, self.run.time_limit)
        if coarse is not None:
            coarse = _of_size(coarse, photo)
        mask.require_size(photo.width, photo.height)
        hole = mask.to_fill(settings).hole
        photo = photo.on_scale_of(~hole, listener)
        if settings.wrap != "off":
            return FillResult(*wrapped(self.inpaint, photo, mask, settings, source, coarse, references, observe))
        if settings.grow == "auto":
            hole = with_remnants(photo, mask, listener).to_fill(settings).hole
        allowed = _source_of(photo, source, hole)
        if not hole.any():
            listener(Warned(message="The mask is False everywhere: the photograph is returned unchanged."))
            return FillResult(photo, report_of(self, settings, {}, {"windows": []}, listener))
        missing = missing_of(photo, hole, listener)
        share = float(hole.mean())
        height, width = hole.shape
        known, left, used = take_over(finite(photo), hole, references, settings, listener)
        neural = self._neural_stage(settings, listener)
        start = self._coarse(settings, coarse)
        limits = allowed if source is not None else None
        plans = windows.plan(left, limits, self.run.max_memory) if left.any() else []
        listener(FillStarted(width=width, height=height, windows=len(plans), hole_share=share))
        if left.mean() > LARGE_SHARE:
            listener(Warned(message=f"The hole is {share:.0%} of the photograph: expect repeats, not invention."))
        if first_time():
            text = "Compiling the patch search for this machine, once, in about ten seconds."
            listener(Warned(message=text, passing=True))
        allowed = allowed if source is not None else ~left
        donors = Donors(references, used, settings)
        alpha = None if known.alpha is None else known.alpha.copy()
        if alpha is not None and settings.alpha == "fill":
            alpha[hole & ~left] = full_scale(alpha)  # of what was taken over
        pixels, unknown = known.pixels.copy(), left.copy()
        work = _Work(pixels, alpha, left, unknown, allowed, missing, start, settings, neural, donors, listener)
        with working(self.run.threads):
            rows = work.fill(plans, one_by_one=self.run.max_memory > 0)
            work.pixels[missing] = photo.pixels[missing]
            filled = photo.with_pixels(work.pixels, work.alpha, continued(photo.extra, hole))
            filled = replace(filled, metadata=without_covered(photo.metadata, hole, listener))
        listener(FillDone(seconds=time.perf_counter() - begun))
        weights = {f"texture:{neural.network.name}": neural.network.sha256} if neural is not None else {}
        if start is not None:
            weights |= start.weights
        report = report_of(self, settings, weights, {"windows": rows}, listener)
        report |= {"references": donors.rows()} if used else {}
        return FillResult(filled, report)

    @own_modes()
    def check(self, settings: FillSettings, *, coarse: bool = False) -> None:
        """Loads the networks that a fill needs; ``coarse``: a coarse picture will be given.

        Raises what the fill would: WeightsError, SettingsError.
        """
        self._neural_stage(settings, ignore)
        if not coarse:
            self._coarse(settings, None)

    def _coarse(self, settings: FillSettings, coarse: Photo | None) -> CoarseFill | None:
        """What is known of the hole beforehand."""
        if coarse is None:
            return coarse_fill(settings.content, self.device, trusted=self.run.trust)
        picture = coarse.pixels
        return coarse_fill(settings.content, self.device, lambda place: as_rgb(picture[place]))

    def _neural_stage(self, settings: FillSettings, observe: Observer) -> NeuralStage | None:
        """The texture network and how it is used, or None where the settings do without."""
        name = settings.texture
        if name == "auto":
            name = default_network("texture") or "none"
            if name == "none" and settings.iterations:
                observe(Warned(message="No texture network is installed: the exemplar fill is the result."))
        if name != "none" and settings.iterations:
            return NeuralStage(load_texture(name, self.device), settings)
        if settings.matching == "searched":
            raise SettingsError(
                "Searching patches needs a texture network and iterations.",
                "Choose {texture compact} or vgg19, or {matching carried}.",
            )
        return None


def report_of(
    door: Any, settings: Any, weights: dict[str, str], found: dict[str, Any], listener: Listener
) -> dict[str, Any]:
    """What a report says of any work of a ``door`` (an Inpainter, a Harmoniser) with ``settings``, and what was
    ``found``."""
    return {
        "version": __version__,
        "settings": settings.to_dict(),
        "seed": settings.seed,
        "device": str(door.device),
        "threads": door.run.threads or processors(),
        "weights": weights,
        **found,
        "seconds": round(time.perf_counter() - listener.begun, 3),
        "peak_memory_mb": round(peak_mb(), 1),
        "warnings": listener.warnings,
    }


@dataclass
class _Work:
    """One fill under way: ``pixels`` and ``alpha`` are the photograph so far, ``unknown`` what of ``hole`` is left
    to fill; ``allowed``: where texture may come from; ``missing`` are known pixels that say nothing."""

    pixels: Samples
    alpha: Samples | None
    hole: Bools
    unknown: Bools
    allowed: Bools
    missing: Bools
    start: CoarseFill | None
    settings: FillSettings
    neural: NeuralStage | None
    donors: Donors
    observe: Observer

    def fill(self, plans: list[windows.Window], one_by_one: bool = False) -> list[dict[str, Any]]:
        """Fills the windows ``plans``, those that do not overlap at the same time; returns a row of the report for
        each."""
        total = max(1, sum(int(plan.part.sum()) for plan in plans))
        tally = Tally()

        def fill_one(number: int) -> dict[str, Any]:
            plan = plans[number]
            share = int(plan.part.sum()) / total
            return self._fill_one(plan, Progress(self.observe, number, len(plans), plan.box, share, tally))

        rows: dict[int, dict[str, Any]] = {}
        for wave in [[number] for number in range(len(plans))] if one_by_one else windows.waves(plans):
            rows |= zip(wave, mapped(fill_one, wave), strict=True)
        return [rows[number] for number in range(len(plans))]

    def _fill_one(self, plan: windows.Window, progress: Progress) -> dict[str, Any]:
        """Fills the window ``plan``; returns its row of the report."""
        unknown = np.ascontiguousarray(self.unknown[plan.slices])
        allowed = self.allowed[plan.slices] & ~unknown
        image, missing = as_rgb(self.pixels[plan.slices]), self.missing[plan.slices]
        if missing.any():
            image, allowed = of_visible(image, ~missing, unknown, allowed)
        layer = self._layer(plan, image, unknown, allowed)
        look, allowed = (image, allowed) if layer is None else (layer.look, layer.source)
        level = Level(np.where(unknown[..., None], np.float32(0), look), unknown, allowed)
        coarse = None if self.start is None else self.start.make(level, plan.slices)
        donors = self.donors.of(level)
        found = synthesise(level, coarse, self.settings, self.neural, progress, list(donors.values()))
        progress.complete()
        self.donors.count(list(donors), int(plan.part.sum()), found.shares)
        result = found.picture
        weights = rim_weights(self.hole[plan.slices], self.settings.feather) * plan.part
        if layer is not None and self.alpha is not None:
            result, opacity = layer.parted(result, unknown, plan.part)
            alpha = self.alpha[plan.slices]
            self.alpha[plan.slices], weights = over(alpha, opacity, weights, full_scale(alpha))
        if self.pixels.shape[2] == 1:
            result = result.mean(2, keepdims=True)
        self.pixels[plan.slices] = composite(self.pixels[plan.slices], result, weights, full_scale(self.pixels))
        self.unknown[plan.slices][plan.part] = False
        x, y, width, height = plan.box
        return {"x": x, "y": y, "width": width, "height": height, "levels": progress.records}

    def _layer(self, plan: windows.Window, image: Floats, unknown: Bools, allowed: Bools) -> Layer | None:
        """The window ``plan``, whose colours are ``image``, with its transparency; None where there is none."""
        if self.alpha is None:
            return None
        alpha = self.alpha[plan.slices].astype(np.float32) / np.float32(full_scale(self.alpha))
        if self.settings.alpha == "keep":
            return Layer.kept(image, alpha, unknown, allowed)
        return Layer.of(image, alpha, unknown, plan.part, allowed)


def _source_of(photo: Photo, source: Mask | None, hole: Bools) -> Bools:
    """Where texture may come from: never from the hole. Raises MaskError."""
    if source is None:
        return ~hole
    source.require_size(photo.width, photo.height, "The source mask")
    allowed = source.hole & ~hole
    if not allowed.any():
        raise MaskError("The source mask marks nothing outside the hole.", "Mark where texture may come from.")
    return allowed


def _of_size(coarse: Photo, photo: Photo) -> Photo:
    """Raises MaskError where the coarse picture does not fit the photograph."""
    if (coarse.width, coarse.height) != (photo.width, photo.height):
        raise MaskError(
            f"The coarse picture is {coarse.width}x{coarse.height}, the photograph {photo.width}x{photo.height}.",
            "Bring it to the photograph's size.",
        )
    return coarse


@same_kind
def inpaint(
    photo: AnyPicture,
    mask: AnyMask,
    *,
    preset: Preset = "balanced",
    source: AnyMask | None = None,
    coarse: AnyPicture | None = None,
    references: Sequence[AnyPicture | Reference] = (),
    observe: Observer = aloud,
    run: RunSettings | None = None,
    **overrides: Unpack[FillOverrides],
) -> AnyPicture:
    """``photo`` with the hole ``mask`` filled; the result is of the photo's kind (NumPy, Pillow or Photo, which is
    also what a path gives).

    ``photo``: (H, W), (H, W, 3) or (H, W, 4), uint8, uint16, or float in 0..1. ``mask``: (H, W), True or white
    where to fill, or class ids (``Mask.from_array``); one that is 0 everywhere returns the photo unchanged.
    ``overrides`` are fields of :class:`FillSettings`. Without ``observe``, warnings go to Python's ``warnings``.
    Raises PatchloomError.

    >>> import numpy as np
    >>> photo = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (64, 1))
    >>> mask = np.zeros((64, 64), bool); mask[20:30, 20:30] = True
    >>> filled = inpaint(photo, mask, texture="none")
    >>> bool((filled == photo)[~mask].all())
    True
    """
    marked = as_mask(mask)
    result = Inpainter(run).inpaint(
        as_photo(photo, marked.hole),
        marked,
        fill_settings(preset, **overrides),
        source=None if source is None else as_mask(source),
        coarse=None if coarse is None else as_photo(coarse),
        references=[as_reference(one, number) for number, one in enumerate(references, 1)],
        observe=observe,
    )
    return of_kind(photo, result.photo)
