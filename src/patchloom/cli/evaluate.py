"""``patchloom evaluate``: measure methods on photographs with known content; ``evaluate votes``: count votes."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from patchloom.cli.files import FILE
from patchloom.cli.interrupt import listening
from patchloom.cli.options import console_options
from patchloom.console import Console
from patchloom.errors import SettingsError, WeightsError
from patchloom.evaluation.holes import SPECS
from patchloom.evaluation.peers import PEERS, parse_method
from patchloom.events import Observer
from patchloom.formats import pictures_among
from patchloom.settings import PRESETS

if TYPE_CHECKING:
    from patchloom.evaluation.metrics import Judge
    from patchloom.evaluation.scores import Row

METHODS = "balanced,pypatchmatch,telea"
EPILOG = "\n".join(
    [
        "\b\nHoles (--holes, may be repeated):",
        *(f"  {spec:15} {what}" for spec, what in SPECS.items()),
        "  FOLDER          masks with the pictures' names",
        "\n\b\nMethods (--methods a,b,c or --method, which may be repeated):",
        f"  {', '.join(PRESETS)}: ours",
        "  balanced+content=none+iterations=0: ours with other settings",
        "  fine=balanced+layers=relu1_1: the same under a name",
        *(f"  {name}: {peer.about}" for name, peer in PEERS.items()),
        "  lama='lama {image} {mask} {out}': any program; masks are white where to fill",
        "\n\b\nExamples:",
        "  patchloom evaluate photos --holes center:0.5 --out runs/first --limit 5",
        "  patchloom evaluate photos --holes random:thick --methods fast,balanced,telea --out runs/thick",
        "  patchloom evaluate photos --holes blobs --out runs/blobs --vote runs/blobs/vote.html",
        "  patchloom evaluate votes votes-*.json",
    ]
)


@click.command("votes")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@console_options
def votes(files: tuple[Path, ...], console: Console) -> None:
    """Turn votes, exported by the page of --vote, into win rates and strengths with 95 % intervals."""
    from patchloom.evaluation.votes import read_votes, tally

    standings = tally(read_votes(files))
    rows = [
        (s.method, s.votes, f"{100 * s.win_rate:.1f}", _span(s.win_rate_interval, 100), f"{s.strength:+.2f}",
         _span(s.strength_interval, 1))
        for s in standings
    ]  # fmt: skip
    console.table("", ["method", "votes", "win rate %", "95 %", "ln strength", "95 % of it"], rows)


def _span(interval: tuple[float, float], scale: float) -> str:
    digits = 1 if scale == 100 else 2
    return f"{scale * interval[0]:.{digits}f} to {scale * interval[1]:.{digits}f}"


class _Evaluate(click.Command):
    """``evaluate PICTURES...``, except ``evaluate votes FILE...``."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: object
    ) -> click.Context:
        if args[:1] == ["votes"]:
            return votes.make_context(f"{info_name} votes", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)


@click.command(cls=_Evaluate, epilog=EPILOG)
@click.argument("pictures", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PICTURES...")
@click.option("--holes", multiple=True, required=True, metavar="SPEC", help="What to cut out; see below.")
@click.option("--methods", default=METHODS, show_default=True, metavar="LIST", help="Comma-separated; see below.")
@click.option("--method", "more", multiple=True, metavar="METHOD", help="One method more; see below.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The run's folder; resumed if there.")
@click.option("--limit", type=click.IntRange(1), help="Take the first so many pictures.")
@click.option("--seed", type=int, default=0, show_default=True, help="Chooses the random holes.")
@click.option("--jobs", type=click.IntRange(1, 64), default=1, show_default=True, help="Methods at a time.")
@click.option("--time-limit", type=float, default=600, show_default=True, help="Seconds a fill may take.")
@click.option("--judge", default="auto", show_default=True, help="Texture network of the perceptual distances.")
@click.option("--pictures-shown", type=click.IntRange(0), default=40, show_default=True, help="In the report.")
@click.option("--vote", type=FILE, metavar="OUT.html", help="Write a page for blind votes.")
@click.option("--vote-pairs", type=click.IntRange(1), default=60, show_default=True, help="Comparisons on it.")
@console_options
def command(
    pictures: tuple[Path, ...],
    holes: tuple[str, ...],
    methods: str,
    more: tuple[str, ...],
    out: Path,
    limit: int | None,
    seed: int,
    jobs: int,
    time_limit: float,
    judge: str,
    pictures_shown: int,
    vote: Path | None,
    vote_pairs: int,
    console: Console,
) -> None:
    """Fill known parts of PICTURES (files or folders) with several methods and measure how well.

    Writes metrics.json, metrics.csv, report.html and contact-sheet.png into --out. Fills that are finished are
    not made again, and methods that an earlier call has finished on the same pictures stay in the report.
    """
    from patchloom.evaluation.report import Scored, write_report
    from patchloom.evaluation.runs import finished_before, prepare_cases, results_of, run
    from patchloom.evaluation.scores import failures, score_run
    from patchloom.evaluation.votes import write_page

    chosen = [parse_method(text) for text in [*filter(None, methods.split(",")), *more]]
    if len({method.name for method in chosen}) < len(chosen):
        raise SettingsError("Two methods have the same name.", "Give one another name: name=method.")
    judging = _judge(judge)
    cases = prepare_cases(pictures_among(pictures)[:limit], holes, out, seed=seed)
    earlier = finished_before(cases, chosen, out)

    def work(observe: Observer) -> Scored:
        run(cases, chosen, out, jobs=jobs, time_limit=time_limit, observe=observe)
        results = results_of(cases, [*chosen, *earlier], out)
        rows = score_run(cases, results, out, judging, observe=observe)
        return Scored(cases, [*chosen, *earlier], rows, failures(results.values()), judging.name)

    scored = listening(work, console)
    for row in scored.failed:
        console.warn(f"{row['method']}: {row['error']} ({row['fills']} fills)")
    _show(scored.summary(), console)
    written = write_report(scored, out, pictures=pictures_shown)
    if vote is not None:
        count = write_page(cases, [method.name for method in chosen], out, vote, pairs=vote_pairs)
        console.say(f"{vote}: {count} comparisons")
    console.say("Written: " + ", ".join(str(path) for path in written))


def _judge(name: str) -> "Judge":
    """``auto``: VGG-19 where its weights are installed, else the embedded network."""
    from patchloom.evaluation.metrics import Judge
    from patchloom.networks.weights import default_network, load_texture

    if name == "auto":
        try:
            return Judge(load_texture("vgg19"))
        except WeightsError:
            name = default_network("texture") or "none"
    return Judge(None if name == "none" else load_texture(name))


def _show(summary: "list[Row]", console: Console) -> None:
    """The hole's means on standard output."""
    titles = {
        "psnr": "PSNR",
        "ssim": "SSIM",
        "perceptual": "perc",
        "texture": "text",
        "sharpness_error": "sharp err",
    }
    titles |= {"seam": "seam", "seconds": "s", "peak_mb": "MB"}
    rows = [row for row in summary if row["region"] == "hole" and row["bucket"] == "all"]
    names = [name for name in titles if rows and name in rows[0]]
    table = [[row["method"], row["count"], *(_short(row[name]) for name in names)] for row in rows]
    console.table("Means over the hole", ["method", "cases", *(titles[name] for name in names)], table)


def _short(value: float) -> str:
    return f"{value:.3f}" if value < 10 else f"{value:.2f}" if value < 100 else f"{value:.0f}"
