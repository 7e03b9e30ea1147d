"""A report: what was done, with which settings and weights, and where the time went.

    python examples/library/read_report.py photo.jpg mask.png filled.jpg

The report is what ``patchloom fill --report`` writes; ``json.dump`` takes it as it is.
"""

import sys

from patchloom import Inpainter, Mask, Photo, fill_settings


def main(photo_name: str, mask_name: str, output_name: str) -> None:
    result = Inpainter().inpaint(Photo.open(photo_name), Mask.open(mask_name), fill_settings("fast", seed=3))
    result.photo.save(output_name, force=True)  # with the photograph's profile, EXIF and dpi
    report = result.report
    print(f"version {report['version']}, seed {report['seed']}, {report['seconds']} s on {report['device']}")
    for name, sha256 in report["weights"].items():
        print(f"  {name} {sha256[:12]}")
    for window in report["windows"]:
        print(f"  {window['width']} x {window['height']} at {window['x']}, {window['y']}")
        for level in window["levels"]:
            print(f"    {level['stage']} at {level['width']} x {level['height']}: {level['seconds']} s")
    for warning in report["warnings"]:
        print(f"  warning: {warning}")


if __name__ == "__main__":
    main(*sys.argv[1:4])
