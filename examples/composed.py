"""Fill a hole with the program's own parts: files with their metadata, settings, progress, and a report.

    python examples/composed.py demo/photo.jpg demo/mask.png filled.png

Makes the same picture as ``one_call.py``. An :class:`Inpainter` keeps its networks: make one, call it often.
"""

import sys

from patchloom import Inpainter, Mask, Photo, RunSettings, fill_settings
from patchloom.console import counted
from patchloom.events import Event, LevelDone, Warned


def say(event: Event) -> None:
    """An observer: called with everything that happens; what it raises stops the fill."""
    match event:
        case LevelDone(level=level, stage=stage, seconds=seconds):
            print(f"level {level}, {stage}: {seconds:.2f} s")
        case Warned(message=message):
            print(message)


def main(photo_name: str, mask_name: str, output_name: str) -> None:
    photo, mask = Photo.open(photo_name), Mask.open(mask_name)
    settings = fill_settings("fast", content="patches", texture="none", seed=7)
    inpainter = Inpainter(RunSettings(device="cpu"))
    result = inpainter.inpaint(photo, mask, settings, observe=say)
    result.photo.save(output_name, force=True)  # with the photograph's profile, EXIF, dpi
    print(f"{counted(len(result.report['windows']), 'window')}, {result.report['seconds']:.1f} s")


if __name__ == "__main__":
    main(*sys.argv[1:4])
