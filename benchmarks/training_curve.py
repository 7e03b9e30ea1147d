"""The curve of a training: held-out PSNR over photographs seen, from a run's log.

python benchmarks/training_curve.py runs/content/log.jsonl --out docs/content-curve.svg
"""

import argparse
import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("logs", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, default=Path("docs/content-curve.svg"))
    given = parser.parse_args()
    figure, axes = plt.subplots(figsize=(6, 3), layout="constrained")
    for path in given.logs:
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        epochs = [line["epoch"] for line in lines]
        axes.plot(epochs, [line["psnr"] for line in lines], label=path.parent.name)
        axes.plot(epochs, [line["membrane"] for line in lines], color="grey", linewidth=1, label="membrane")
    axes.set(xlabel="epochs", ylabel="PSNR in held-out holes, dB")
    axes.legend()
    plt.rcParams["svg.hashsalt"] = "patchloom"  # the same file from the same log
    figure.savefig(given.out, metadata={"Date": None})


if __name__ == "__main__":
    main()
