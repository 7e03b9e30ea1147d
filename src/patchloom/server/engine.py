"""What the worker process does with a task: decode, fill, encode. Only workers open pictures (``looks.py``).

A task names the kind of work, the job's folder and options; its files are there under the names of the form's
parts (``image``, ``mask``), its product is ``result``.
"""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from patchloom.canvas import Frame, Place
from patchloom.errors import Cancelled, PatchloomError
from patchloom.events import Event, LevelDone, LevelStarted, Observer, Step, as_json
from patchloom.extension import extended
from patchloom.filling import Inputs, Named, prepare
from patchloom.formats.picture import to_eight_bit
from patchloom.harmony.harmoniser import Harmoniser
from patchloom.inpainter import Inpainter
from patchloom.mask import Mask
from patchloom.networks import weights
from patchloom.photo import Photo
from patchloom.server.looks import stored
from patchloom.server.worker import Message, Send, work_of
from patchloom.settings import PRESETS, FileSettings, HarmoniseSettings, RunSettings, fill_settings
from patchloom.tiling import tiled

PREVIEW_SIDE = 1024  # longest side of a preview, pixels
_PROGRESS_SECONDS = 0.2
_PREVIEW_SECONDS = 0.7  # between two pictures of what is being decided


class PictureEngine:
    """Called by the worker with one task after the other; networks stay loaded in between."""

    def __init__(self, options: Message) -> None:
        self.max_pixels: int = options["max_pixels"]
        self.inpainter = Inpainter(RunSettings(**options["run"]))
        self.about: Message = {"networks": _installed_networks()}
        if options.get("warm", True):
            self._warm()

    def __call__(self, task: Message, send: Send, stopped: Callable[[], bool]) -> Message:
        own = {
            "fill": self.fill,
            "harmonise": self.harmonise,
            "paste": self.paste,
            "extend": self.extend,
            "tile": self.tile,
        }
        return work_of(self, task, own)(Path(task["folder"]), task, send, stopped)

    def _warm(self) -> None:
        """A tiny fill: loads the networks and compiles the loops before the first job waits for them."""
        ramp = np.linspace(0, 255, 64, dtype=np.uint8)
        pixels = np.stack([np.add.outer(ramp // 2, ramp // 2)] * 3, axis=-1)
        hole = np.zeros((64, 64), dtype=bool)
        hole[28:36, 28:36] = True
        with contextlib.suppress(PatchloomError):  # each job will say for itself what is wrong
            self.inpainter.inpaint(Photo.from_array(pixels), Mask.from_array(hole), PRESETS["balanced"])

    def fill(
        self,
        folder: Path,
        task: Message,
        send: Send,
        stopped: Callable[[], bool],
        *,
        read: Callable[[bytes], Mask] | None = None,
        upright: bool = False,
    ) -> Message:
        """A hole filled. ``read``: the mask, if in a way of its own; ``upright``: no tag turns the result."""
        settings = fill_settings(**task["settings"])
        observer = Reporter(folder, send, stopped)
        # From bytes, so that no message can name a path of this machine.
        sent = {path.name: path.read_bytes() for path in folder.iterdir()}
        mask = sent["mask"] if read is None else read(sent["mask"])
        inputs = Inputs(
            photo=Named(sent["image"], task.get("photo", "")),
            mask=mask,
            source=sent.get("source"),
            coarse=sent.get("coarse"),
            references=[
                Named(sent[f"reference-{number}"], name)
                for number, name in enumerate(task.get("references", ()), 1)
            ],
        )
        files = FileSettings.from_dict(task["files"])
        prepared = prepare(inputs, settings, files, fit=True, max_pixels=self.max_pixels, observe=observer)
        filled = prepared.fill(self.inpainter, upright=upright, observe=observer)
        rows = {name: filled.report[name] for name in ("references",) if name in filled.report}
        return stored(folder, filled.data, filled.format, filled.photo) | rows

    def harmonise(self, folder: Path, task: Message, send: Send, stopped: Callable[[], bool]) -> Message:
        """The object that the mask marks in the photo's light; see ``patchloom.harmony.harmoniser``."""
        settings, observer = HarmoniseSettings(**task["settings"]), Reporter(folder, send, stopped)
        photo = self._opened(folder, task, "image", observer)
        mask = self._mask_of(folder, task, photo)
        result = Harmoniser(self.inpainter.run).harmonise(photo, mask, settings, observe=observer)
        return _encoded(folder, task, result.photo, observer)

    def paste(self, folder: Path, task: Message, send: Send, stopped: Callable[[], bool]) -> Message:
        """An object put into the photo, in its light; see ``patchloom.harmony.harmoniser``."""
        settings, observer = HarmoniseSettings(**task["settings"]), Reporter(folder, send, stopped)
        photo = self._opened(folder, task, "image", observer)
        foreground = self._opened(folder, task, "object", observer)
        mask = self._mask_of(folder, task, foreground) if (folder / "mask").exists() else None
        place = Place.from_text(task["at"])
        result = Harmoniser(self.inpainter.run).paste(
            photo, foreground, place, settings, mask=mask, observe=observer
        )
        return _encoded(folder, task, result.photo, observer)

    def extend(self, folder: Path, task: Message, send: Send, stopped: Callable[[], bool]) -> Message:
        """The photo on a wider canvas; see ``patchloom.extension``."""
        settings, observer = fill_settings(**task["settings"]), Reporter(folder, send, stopped)
        photo, frame = self._opened(folder, task, "image", observer), Frame(**task["frame"])
        result = extended(
            photo, frame, settings, inpainter=self.inpainter, max_pixels=self.max_pixels, observe=observer
        )
        return _encoded(folder, task, result.photo, observer)

    def tile(self, folder: Path, task: Message, send: Send, stopped: Callable[[], bool]) -> Message:
        """The photo as a seamless tile; see ``patchloom.tiling``."""
        settings, observer = fill_settings(**task["settings"]), Reporter(folder, send, stopped)
        photo = self._opened(folder, task, "image", observer)
        result = tiled(photo, settings, inpainter=self.inpainter, observe=observer)
        return _encoded(folder, task, result.photo, observer)

    def _opened(self, folder: Path, task: Message, part: str, observe: Observer) -> Photo:
        """The picture that was sent as ``part``. Raises PhotoError."""
        files = FileSettings.from_dict(task["files"])
        return Photo.open(
            (folder / part).read_bytes(),
            allow_cmyk=files.allow_cmyk,
            page=files.page or None if part == "image" else 1,
            max_pixels=self.max_pixels,
            called="The object" if part == "object" else "",
            observe=observe,
        )

    def _mask_of(self, folder: Path, task: Message, picture: Photo) -> Mask:
        """The mask that was sent, brought to the size of ``picture``. Raises MaskError."""
        files = FileSettings.from_dict(task["files"])
        mask = Mask.open(
            (folder / "mask").read_bytes(),
            mode=files.mask_mode,
            classes=files.mask_class,
            max_pixels=self.max_pixels,
            photo=task.get("photo", ""),
        )
        return mask.fitted(picture.width, picture.height)


class Reporter:
    """The observer of one fill: sends its events on as they are named there, with the seconds left and previews'
    numbers; stops when asked."""

    def __init__(self, folder: Path, send: Send, stopped: Callable[[], bool]) -> None:
        self._folder, self._send, self._stopped = folder, send, stopped
        self._began = time.monotonic()
        self._spoke = self._showed = 0.0
        self._previews = 0
        self._deciding: set[int] = set()  # windows of which nothing final can be seen yet

    def __call__(self, event: Event) -> None:
        if self._stopped():
            raise Cancelled("Stopped as asked; nothing was written.")
        message = as_json(event)
        if isinstance(event, Step):
            now = time.monotonic()
            if now - self._spoke < _PROGRESS_SECONDS:
                return
            self._spoke = now
            left = (now - self._began) * (1 - event.fraction) / event.fraction if event.fraction > 0.02 else None
            message["eta_s"] = None if left is None else round(left, 1)
            if event.preview and event.window in self._deciding and now - self._showed > _PREVIEW_SECONDS:
                self._showed = now
                message["preview"] = self._stored(event.preview())
        elif isinstance(event, LevelStarted) and event.stage == "decide":
            self._deciding.add(event.window)
        elif isinstance(event, LevelDone) and event.preview is not None:
            self._deciding.discard(event.window)
            message["preview"] = self._stored(event.preview())
        self._send(message)

    def _stored(self, picture: NDArray[np.float32]) -> int:
        """The number under which the preview is in the job's folder."""
        skip = max(1, -(-max(picture.shape[:2]) // PREVIEW_SIDE))
        pixels = to_eight_bit(np.ascontiguousarray(picture[::skip, ::skip]))
        self._previews += 1
        data = Photo.from_array(pixels).encode("JPEG", quality=85)
        (self._folder / f"preview-{self._previews}").write_bytes(data)
        return self._previews


def _installed_networks() -> dict[str, list[str]]:
    names: dict[str, list[str]] = {"content": [], "texture": []}
    for file in weights.installed():
        names[file.role].append(file.name)
    return names


def _encoded(folder: Path, task: Message, photo: Photo, observe: Observer) -> Message:
    """Stores ``photo`` as the task's file settings say."""
    files = FileSettings.from_dict(task["files"])
    form = photo.written_to(format=files.format)
    data = photo.encode(form, quality=files.quality, strip_metadata=files.strip_metadata, observe=observe)
    return stored(folder, data, form, photo)
