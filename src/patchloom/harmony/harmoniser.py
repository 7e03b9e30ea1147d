"""Things put into a photograph so that they belong: :func:`harmonise` and :func:`paste`.

Like ``inpainter.py``: photograph and mask in, the same photograph out with its object in the light of its
surroundings. Works on a crop round the object; its pixels are put back at full depth, all others are returned
bit for bit.
"""

import time
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from patchloom.arrays import Bools, Floats
from patchloom.canvas import Place
from patchloom.errors import InputError, MaskError
from patchloom.events import FillDone, FillStarted, Observer, Warned, aloud, ignore
from patchloom.formats.picture import full_scale
from patchloom.harmony.levels import harmonise as harmonise_level
from patchloom.harmony.placing import at_depth_of, transformed
from patchloom.inpainter import FillResult, report_of
from patchloom.kinds import AnyMask, AnyPicture, as_mask, as_photo, as_rgb, of_kind, same_kind
from patchloom.mask import Mask
from patchloom.method.progress import Listener, Progress
from patchloom.method.pyramid import Level
from patchloom.networks.texture import TextureNetwork
from patchloom.networks.weights import default_network, load_texture
from patchloom.overrides import HarmoniseOverrides
from patchloom.photo import Photo
from patchloom.settings import HarmoniseSettings, RunSettings
from patchloom.tensors.border import device_named
from patchloom.tensors.boxes import bounds
from patchloom.tensors.compose import composite
from patchloom.tensors.modes import own_modes
from patchloom.tensors.threads import working

MOST_TEXTURED = 1500**2  # pixels of a crop whose texture is optimised; a larger one would not fit into memory


class Harmoniser:
    """Brings objects to the light of photographs; networks are loaded on first use and kept."""

    def __init__(self, run: RunSettings | None = None) -> None:
        self.run = run or RunSettings()
        self.device = device_named(self.run.device)

    @own_modes()
    def harmonise(
        self,
        photo: Photo,
        mask: Mask,
        settings: HarmoniseSettings | None = None,
        *,
        observe: Observer = ignore,
    ) -> FillResult:
        """``photo`` with the object that ``mask`` marks in the light of what is around it.

        Raises MaskError (does not fit, or covers everything), WeightsError, BudgetError (time), Cancelled.
        """
        mask.require_size(photo.width, photo.height)
        if mask.hole.all():
            raise MaskError("The mask covers the whole photograph.", "Mark only the object that was put in.")
        return self._work(photo, photo.pixels, mask.hole.astype(np.float32), settings, observe)

    @own_modes()
    def paste(
        self,
        photo: Photo,
        foreground: Photo,
        place: Place,
        settings: HarmoniseSettings | None = None,
        *,
        mask: Mask | None = None,
        observe: Observer = ignore,
    ) -> FillResult:
        """``photo`` with ``foreground`` put in at ``place``, harmonised.

        Of ``foreground`` what its ``mask`` marks is put in, else what is not transparent, else all of it.
        Raises as :meth:`harmonise`, and InputError where nothing of it lies in the photograph.
        """
        if mask is not None:
            mask.require_size(foreground.width, foreground.height, "The object's mask")
        colours, cover = transformed(foreground, mask, place, (photo.height, photo.width))
        layer = at_depth_of(photo.pixels, colours)
        if not (cover >= 0.5).any():
            raise InputError(
                f"Nothing of the object lies in the photograph of {photo.width} x {photo.height} pixels.",
                "Give {at x,y}, the object's centre counted from the top left, and an object with opaque pixels.",
            )
        if (cover >= 0.5).all():
            raise InputError("The object covers the whole photograph.", "Make it smaller: {at x,y,scale}.")
        return self._work(photo, layer, cover, settings, observe, foreign=True)

    def _work(
        self,
        photo: Photo,
        layer: NDArray[Any],
        cover: Floats,
        settings: HarmoniseSettings | None,
        observe: Observer,
        foreign: bool = False,
    ) -> FillResult:
        """``photo`` with ``layer`` (H, W, C), harmonised, laid over it by ``cover`` (H, W) in 0..1."""
        begun = time.perf_counter()
        settings = settings or HarmoniseSettings()
        listener = Listener(observe, begun, self.run.time_limit)
        record: dict[str, Any] = {}
        pixels, network = photo.pixels, None
        if not cover.any():
            listener(Warned(message="The mask marks nothing: the photograph is returned unchanged."))
        else:
            window = _window(cover > 0)
            network = self._network(settings, cover[window].size, listener)
            listener(
                FillStarted(width=photo.width, height=photo.height, windows=1, hole_share=float(cover.mean()))
            )
            with working(self.run.threads):
                pixels, record = self._harmonised(
                    photo, layer, cover, window, settings, network, foreign, listener
                )
            listener(FillDone(seconds=time.perf_counter() - begun))
        weights = {} if network is None else {f"texture:{network.name}": network.sha256}
        report = report_of(self, settings, weights, record, listener)
        return FillResult(photo.with_pixels(pixels), report)

    def _harmonised(
        self,
        photo: Photo,
        layer: NDArray[Any],
        cover: Floats,
        window: tuple[slice, slice],
        settings: HarmoniseSettings,
        network: TextureNetwork | None,
        foreign: bool,
        observe: Observer,
    ) -> tuple[NDArray[Any], dict[str, Any]]:
        """The pixels of all of ``photo``, of which those in ``window`` were worked on."""
        rows, columns = window
        box = (columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start)
        solid = cover[window] > 0
        seen = ~solid if photo.alpha is None else ~solid & (photo.alpha[window] > full_scale(photo.alpha) / 2)
        image = np.where(solid[..., None], layer[window], photo.pixels[window])
        level = Level(as_rgb(image), solid, seen)
        done = harmonise_level(level, settings, network, Progress(observe=observe, box=box), foreign)
        result = done.picture
        if photo.pixels.shape[2] == 1:
            result = result.mean(2, keepdims=True)
        pixels = photo.pixels.copy()
        pixels[window] = composite(photo.pixels[window], result, cover[window], full_scale(photo.pixels))
        if done.record["left_alone"]:  # exactly the layer, which a float may not be
            pixels[window][cover[window] == 1] = layer[window][cover[window] == 1]
        return pixels, {"box": list(box), **done.record}

    def _network(self, settings: HarmoniseSettings, size: int, observe: Observer) -> TextureNetwork | None:
        """The texture network, where one is asked for and the crop of ``size`` pixels allows it."""
        if settings.texture_share == 0 and not settings.style:
            return None
        name = default_network("texture") if settings.texture == "auto" else settings.texture
        if name is None or name == "none":
            return None
        if size > MOST_TEXTURED:
            observe(Warned(message="The object is too large for its texture to be matched; its light is."))
            return None
        return load_texture(name, self.device)


@same_kind
def harmonise(
    photo: AnyPicture,
    mask: AnyMask,
    *,
    observe: Observer = aloud,
    run: RunSettings | None = None,
    **settings: Unpack[HarmoniseOverrides],
) -> AnyPicture:
    """``photo`` with the object that ``mask`` marks in the light of its surroundings; of the photo's kind.

    Pictures and masks as :func:`patchloom.inpaint` takes them; ``settings`` are fields of
    :class:`~patchloom.settings.HarmoniseSettings`. Raises PatchloomError.
    """
    chosen = HarmoniseSettings().but(settings)
    result = Harmoniser(run).harmonise(as_photo(photo), as_mask(mask), chosen, observe=observe)
    return of_kind(photo, result.photo)


@same_kind
def paste(
    photo: AnyPicture,
    foreground: AnyPicture,
    at: tuple[float, ...],
    *,
    mask: AnyMask | None = None,
    observe: Observer = aloud,
    run: RunSettings | None = None,
    **settings: Unpack[HarmoniseOverrides],
) -> AnyPicture:
    """``photo`` with ``foreground`` put in, its centre ``at`` (x, y[, scale[, angle]]), harmonised; of the photo's
    kind.

    See :meth:`Harmoniser.paste`; otherwise as :func:`harmonise`.
    """
    result = Harmoniser(run).paste(
        as_photo(photo),
        as_photo(foreground),
        Place(*at),
        HarmoniseSettings().but(settings),
        mask=None if mask is None else as_mask(mask),
        observe=observe,
    )
    return of_kind(photo, result.photo)


def _window(covered: Bools) -> tuple[slice, slice]:
    """The rows and columns of what is ``covered`` (H, W) and of the surroundings that it is compared with."""
    reach = int(np.ceil(np.sqrt(covered.sum()))) + 4
    return bounds(covered).widened(reach, covered.shape).slices
