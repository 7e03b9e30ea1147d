"""The compact texture network against its teacher, VGG-19: cost, agreement, and the fills they lead to.

    python benchmarks/texture.py                          # cost and agreement
    python benchmarks/texture.py --fills --limit 8        # and fills of 8 pictures a group
    python benchmarks/texture.py --sheet docs/texture.jpg # and a picture of three fills by each

Cost: multiply-adds of one pixel's features at the three taps; file size; seconds and extra memory of one iteration
(forward and backward to the pixels) at 228 x 228, the crop of a 180-px hole, each network in a process of its own,
the least of ten after a warm-up. Agreement: how the student's nearest patches do in the teacher's eyes. Fills: the
same settings and seed, only the texture network differs; judged by the teacher's relu3_1.
"""

import argparse
import io
import json
import resource
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from quality import Case, load_cases
from torch import nn

from patchloom.evaluation.metrics import Judge
from patchloom.evaluation.pictures import Tile, contact_sheet, with_hole
from patchloom.inpainter import Inpainter
from patchloom.mask import Mask
from patchloom.networks.texture import TextureNetwork
from patchloom.networks.weights import load_texture
from patchloom.photo import Photo
from patchloom.settings import RunSettings, fill_settings
from patchloom.training.distill import agreement

SHARED = Path(__file__).resolve().parents[2] / "shared"
TAPS = ("relu1_1", "relu2_1", "relu3_1")
CROP = 228


def multiply_adds(network: TextureNetwork) -> float:
    """Of all taps' features, per pixel."""
    side, total = 64, 0.0

    def count(layer: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        nonlocal total
        total += layer.weight[0].numel() * output[0].numel() / side**2

    convolutions = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    hooks = [layer.register_forward_hook(count) for layer in convolutions]
    network(torch.zeros(1, 3, side, side), TAPS)
    for hook in hooks:
        hook.remove()
    return total


def time_iteration(name: str, threads: int) -> dict[str, float]:
    """Seconds of an iteration, and the memory it takes beyond the loaded network, in MB."""
    torch.set_num_threads(threads)
    network = load_texture(name)
    network(torch.zeros(1, 3, 16, 16), TAPS)
    x = torch.rand(1, 3, CROP, CROP, requires_grad=True)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = []
    for _ in range(11):
        started = time.perf_counter()
        features = network(x, TAPS)
        torch.stack([feature.square().mean() for feature in features.values()]).sum().backward()
        seconds.append(time.perf_counter() - started)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"seconds": min(seconds[1:]), "memory_mb": (after - before) / 1024}


def print_costs(names: dict[str, str], threads: int) -> None:
    print(f"{'network':10} {'MAC/px':>8} {'file MB':>8} {'ms':>7} {'MB':>6}")
    for label, name in names.items():
        command = [sys.executable, __file__, "--time", name, "--threads", str(threads)]
        cost = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        network = load_texture(name)
        size = (
            sum(parameter.numel() for parameter in network.parameters()) * (2 if label == "compact" else 4) / 1e6
        )
        milliseconds = 1000 * cost["seconds"]
        print(f"{label:10} {multiply_adds(network):8.0f} {size:8.2f} {milliseconds:7.1f} {cost['memory_mb']:6.0f}")


def print_agreement(names: dict[str, str], shared: Path) -> None:
    """On photographs of a kind that was never trained on (ImageNet samples, 128 px)."""
    pictures = []
    with tarfile.open(shared / "data/test136.tar") as tar:
        for member in tar.getmembers():
            if Path(member.name).name.startswith("i") and len(pictures) < 24:
                picture = Image.open(io.BytesIO(tar.extractfile(member).read())).convert("RGB")
                if min(picture.size) >= 128:
                    pictures.append(np.asarray(picture)[:128, :128].astype(np.float32) / 255)
    x = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous()
    print(f"\n{'tap':10} {'same':>7} {'in 2 %':>7} {'excess':>7}")
    for tap in TAPS[1:]:
        found = agreement(load_texture(names["compact"]), load_texture(names["vgg19"]), x, tap)
        print(f"{tap:10} {found.same:7.1%} {found.near:7.1%} {found.excess:7.2%}")


def fill_and_score(case: Case, network: str, given: argparse.Namespace, judge: Judge) -> dict[str, float]:
    """Scores of one fill, and its seconds; the picture goes to ``given.out``."""
    settings = fill_settings(given.preset, content="patches", texture=network, iterations=given.iterations)
    photo = Photo.from_array(case.truth * ~case.hole[..., None])
    started = time.perf_counter()
    result = Inpainter(RunSettings(threads=given.threads)).inpaint(photo, Mask.from_array(case.hole), settings)
    seconds = time.perf_counter() - started
    fill = result.photo.to_array()
    Image.fromarray(fill).save(given.out / f"{case.name}-{Path(network).stem}.png")
    truth, filled = (picture.astype(np.float32) / 255 for picture in (case.truth, fill))
    score = judge.of(truth, case.hole, regions=("hole",)).score(filled)["hole"]
    return {**score, "seconds": seconds}


def print_fills(names: dict[str, str], given: argparse.Namespace) -> None:
    given.out.mkdir(parents=True, exist_ok=True)
    judge = Judge(load_texture(names["vgg19"]))
    print(f"\n{'group':9} {'network':10} {'PSNR':>6} {'perc':>6} {'serr':>6} {'s':>6}   ({given.preset})")
    for group, cases in load_cases(given.shared, given.groups.split(","), given.limit).items():
        for label, name in {"none": "none", **names}.items():
            scores = [fill_and_score(case, name, given, judge) for case in cases]
            (given.out / f"{group}-{label}.json").write_text(json.dumps(scores, indent=1))
            psnr, perceptual, seconds = (
                np.mean([score[key] for score in scores]) for key in ("psnr", "perceptual", "seconds")
            )
            blunt = np.mean([abs(np.log(score["sharpness"])) for score in scores])
            print(f"{group:9} {label:10} {psnr:6.2f} {perceptual:6.3f} {blunt:6.3f} {seconds:6.2f}", flush=True)


def draw_sheet(names: dict[str, str], given: argparse.Namespace) -> None:
    """Three photographs that scikit-image ships (NASA; CC0): hole, fills without and with a network, truth."""
    from skimage import data

    rows = []
    for photograph, top, left in ((data.astronaut(), 20, 330), (data.chelsea(), 0, 150), (data.coffee(), 60, 280)):
        truth = np.ascontiguousarray(photograph[top : top + 180, left : left + 180])
        hole = np.zeros(truth.shape[:2], bool)
        hole[60:120, 60:120] = True
        tiles = [Tile(with_hole(truth, hole), "hole")]
        for label, name in {"no network": "none", **names}.items():
            settings = fill_settings(given.preset, content="patches", texture=name, iterations=given.iterations)
            run = RunSettings(threads=given.threads)
            result = Inpainter(run).inpaint(Photo.from_array(truth), Mask.from_array(hole), settings)
            tiles.append(Tile(result.photo.to_array(), label))
        rows.append([*tiles, Tile(truth, "truth")])
    given.sheet.parent.mkdir(parents=True, exist_ok=True)
    contact_sheet(rows, 180).save(given.sheet, quality=90)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--teacher", help="VGG-19 weights (default: the shared prefix)")
    parser.add_argument("--student", default="compact", help="name or file")
    parser.add_argument("--fills", action="store_true", help="fill pictures with both")
    parser.add_argument("--sheet", type=Path, help="draw fills of three photographs here")
    parser.add_argument("--groups", default="official,boxes,blobs")
    parser.add_argument("--limit", type=int, default=8, help="pictures a group")
    parser.add_argument("--preset", default="fast")
    parser.add_argument("--iterations", type=int, help="of the neural stage (default: the preset's)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--shared", type=Path, default=SHARED)
    parser.add_argument("--out", type=Path, default=Path("runs/texture"))
    parser.add_argument("--time", metavar="NETWORK", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.time:
        print(json.dumps(time_iteration(given.time, given.threads)))
        return
    torch.set_num_threads(given.threads)
    teacher = given.teacher or str(given.shared / "weights/vgg19-relu3_1.safetensors")
    names = {"vgg19": teacher, "compact": given.student}
    print_costs(names, given.threads)
    print_agreement(names, given.shared)
    if given.sheet:
        draw_sheet(names, given)
    if given.fills:
        print_fills(names, given)


if __name__ == "__main__":
    main()
