"""A thousand pictures through everything that can happen, and what that costs.

    python benchmarks/batch.py all --pictures ../shared/data/test136.tar --work /tmp/batch-benchmark

``accidents``   1,000 small pictures, 20 of them broken: on this machine with a worker killed and a Ctrl-C in the
                middle, then resumed; on a scheduler with two workers on loopback with a worker killed, the
                scheduler killed and a Ctrl-C, then resumed. Checks that each good picture was done exactly once,
                that both give the same bytes, that each broken one is named, and how the memory went.
``throughput``  the same pictures by a shell loop over ``patchloom fill``, by one process, by two, by the cluster;
                wall and processor seconds
``sizes``       processor seconds a picture for 512 x 512 photographs, by preset
``million``     what a million names cost the coordinator, and how many tasks a second a scheduler passes on

Everything is run through the command, as a person would. Leaves ``results.json`` in ``--work``.
"""

import argparse
import io
import json
import os
import random
import resource
import signal
import statistics
import subprocess
import sys
import tarfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "batch"))
from machines import Machines

from patchloom.batch.folders import Found
from patchloom.batch.journal import JOURNAL, Journal, known_pictures, read_records
from patchloom.batch.pairing import Naming, pair
from patchloom.batch.work import Outcome, Share, Stopped, Task
from patchloom.evaluation.holes import make_hole
from patchloom.resources import resident_mb

PROGRAM = [sys.executable, "-m", "patchloom"]
BROKEN = 20
SIDE = 64


def make_folder(archive: Path, root: Path, count: int) -> set[str]:
    """``count`` crops of the photographs with a seeded hole each; returns the names of the broken ones."""
    for folder in ("photos", "masks"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    chosen = random.Random(0)
    with tarfile.open(archive) as tar:
        members = sorted((item for item in tar if item.isfile()), key=lambda item: item.name)
        for number in range(count):
            data = tar.extractfile(members[number % len(members)])
            assert data is not None
            photo = Image.open(io.BytesIO(data.read())).convert("RGB")
            left, top = chosen.randrange(photo.width - SIDE + 1), chosen.randrange(photo.height - SIDE + 1)
            name = f"p{number:04}.png"
            photo.crop((left, top, left + SIDE, top + SIDE)).save(root / "photos" / name)
            hole = make_hole("boxes" if number % 2 else "random:medium", SIDE, SIDE, name=name)
            Image.fromarray(hole.astype(np.uint8) * 255).save(root / "masks" / name)
    broken = chosen.sample(range(count), BROKEN)
    for order, number in enumerate(broken):
        _break(root / "photos" / f"p{number:04}.png", root / "masks" / f"p{number:04}.png", order % 5)
    return {f"p{number:04}.png" for number in broken}


def _break(photo: Path, mask: Path, how: int) -> None:
    """Cut short, empty, no picture, a mask of another size, no mask."""
    if how == 0:
        photo.write_bytes(photo.read_bytes()[:2000])
    elif how == 1:
        photo.write_bytes(b"")
    elif how == 2:
        photo.write_text("<html>404 not found</html>")
    elif how == 3:
        Image.new("L", (SIDE + 1, SIDE), 255).save(mask)
    else:
        mask.unlink()


def command(root: Path, out: str, *options: str) -> list[str]:
    folders = [str(root / "photos"), "--masks", str(root / "masks"), "-o", str(root / out)]
    return [*PROGRAM, "batch", *folders, "--preset", "fast", *options]


def lines(journal: Path, status: str) -> list[dict[str, Any]]:
    return [record for record in read_records(journal) if record.get("status") == status]


def run_with_accidents(
    arguments: list[str], journal: Path, accidents: list[tuple[int, Callable[[subprocess.Popen[str]], None]]]
) -> tuple[str, list[int]]:
    """Runs the command; each accident happens once so many pictures are done. Messages and coordinator's MB."""
    journal.parent.mkdir(exist_ok=True)
    log = journal.with_suffix(".messages").open("w+")
    memory = []
    with subprocess.Popen(arguments, stderr=log, text=True) as process:
        due = list(accidents)
        while process.poll() is None:
            time.sleep(0.1)
            memory.append(_resident(process.pid))
            if due and len(lines(journal, "done")) >= due[0][0]:
                due.pop(0)[1](process)
    log.seek(0)
    return log.read(), [value for value in memory if value]


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize() // 2**20
    except (OSError, IndexError):
        return 0


def kill_a_worker(journal: Path) -> Callable[[Any], None]:
    """kill -9 for the worker that was last heard of."""

    def kill(process: Any) -> None:
        os.kill(int(lines(journal, "done")[-1]["worker"].rpartition(":")[2]), signal.SIGKILL)

    return kill


def stop(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGINT)


def judge(root: Path, out: str, broken: set[str], messages: str) -> dict[str, Any]:
    """What the results' folder and the journal say."""
    folder = root / out
    good = {path.name for path in (root / "photos").iterdir()} - broken
    done = Counter(record["name"] for record in lines(folder / JOURNAL, "done"))
    failed = {record["name"] for record in lines(folder / JOURNAL, "failed")}
    return {
        "good": len(good),
        "results": len(list(folder.glob("*.png"))),
        "done_exactly_once": done == Counter(dict.fromkeys(good, 1)),
        "all_broken_in_journal": failed == broken,
        "all_broken_named_on_screen": all(f"{name}: failed: " in messages for name in broken),
        "parts_left": len(list(folder.glob(".*.part"))),
        "worker_memory": memory_by_worker(folder / JOURNAL),
    }


def memory_by_worker(journal: Path) -> list[dict[str, int]]:
    """For each worker that did at least 100: MB after 20 pictures, and of its last 20 (medians)."""
    series: defaultdict[str, list[int]] = defaultdict(list)
    for record in lines(journal, "done"):
        series[record["worker"]].append(record["memory_mb"])
    return [
        {"pictures": len(values), "early_mb": _middle(values[20:40]), "late_mb": _middle(values[-20:])}
        for values in series.values()
        if len(values) >= 100
    ]


def _middle(values: list[int]) -> int:
    return round(statistics.median(values))


def accidents(root: Path, broken: set[str], count: int) -> dict[str, Any]:
    local, cluster = root / "local" / JOURNAL, root / "cluster" / JOURNAL
    messages, memory = run_with_accidents(
        command(root, "local"), local, [(count * 3 // 10, kill_a_worker(local)), (count * 6 // 10, stop)]
    )
    more, _ = run_with_accidents(command(root, "local", "--resume"), local, [])
    found: dict[str, Any] = {"local": judge(root, "local", broken, messages + more)}
    found["local"]["coordinator_mb"] = [memory[len(memory) // 4], memory[-1]]
    with Machines(root / "machines") as machines:
        on_cluster = ("--cluster", machines.address)
        messages, memory = run_with_accidents(
            command(root, "cluster", *on_cluster),
            cluster,
            [
                (count * 3 // 10, kill_a_worker(cluster)),
                (count * 45 // 100, lambda process: machines.restart_scheduler()),
                (count * 6 // 10, stop),
            ],
        )
        more, _ = run_with_accidents(command(root, "cluster", "--resume", *on_cluster), cluster, [])
    found["cluster"] = judge(root, "cluster", broken, messages + more)
    found["cluster"]["coordinator_mb"] = [memory[len(memory) // 4], memory[-1]]
    names = [path.name for path in (root / "local").glob("*.png")]
    found["bytes_equal"] = all(
        (root / "local" / name).read_bytes() == (root / "cluster" / name).read_bytes() for name in names
    )
    return found


def timed(arguments: list[str]) -> tuple[float, float]:
    """Wall and processor seconds of a command and its workers."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(arguments, stderr=subprocess.DEVNULL, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter() - started, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def throughput(root: Path, broken: set[str], count: int) -> list[dict[str, Any]]:
    names = [path.name for path in sorted((root / "photos").iterdir()) if path.name not in broken][:count]
    part = root / "part"
    for folder in ("photos", "masks"):
        (part / folder).mkdir(parents=True, exist_ok=True)
        for name in names:
            (part / folder / name).write_bytes((root / folder / name).read_bytes())
    loop = names[: max(3, count // 15)]
    script = "for n in {}; do {} fill {}/photos/$n {}/masks/$n -o {}/loop-$n --preset fast -q; done".format(
        " ".join(loop), " ".join(PROGRAM), part, part, part
    )
    rows = [_row("shell loop over patchloom fill", len(loop), *timed(["sh", "-c", script]))]
    ways = {
        "one process, one thread": ("--jobs", "1", "--threads", "1"),
        "one process, two threads": ("--jobs", "1", "--threads", "2"),
        "as chosen for this machine": (),
    }
    for name, options in ways.items():
        rows.append(_row(name, count, *timed(command(part, name.replace(" ", "-"), *options))))
    with Machines(root / "machines") as machines:
        warm = command(part, "warm", "--cluster", machines.address)
        subprocess.run(warm, stderr=subprocess.DEVNULL, check=False)
        wall, _ = timed(command(part, "on-cluster", "--cluster", machines.address))
        rows.append(_row("cluster, two workers, already warm", count, wall, 0.0))
    return rows


def _row(way: str, pictures: int, wall: float, processor: float) -> dict[str, Any]:
    return {
        "way": way,
        "pictures": pictures,
        "wall_s": round(wall, 1),
        "pictures_per_s": round(pictures / wall, 2),
        "processor_s_each": round(processor / pictures, 3),
    }


def sizes(root: Path) -> list[dict[str, Any]]:
    """512 x 512 photographs with a hole of 100 x 100: what a picture costs once the workers are warm."""
    import skimage.data

    folder, rows = root / "large", []
    for name in ("photos", "masks"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for number in range(8):
        photo = Image.fromarray(getattr(skimage.data, ("astronaut", "coffee", "chelsea", "rocket")[number % 4])())
        photo.resize((512, 512)).rotate(90 * (number // 4)).save(folder / "photos" / f"{number}.png")
    hole = np.zeros((512, 512), np.uint8)
    hole[200:300, 180:280] = 255
    for number in range(8):
        Image.fromarray(hole).save(folder / "masks" / f"{number}.png")
    for preset in ("fast", "balanced"):
        out = folder / preset
        subprocess.run(command(folder, preset, "--preset", preset, "--jobs", "1", "--threads", "1"), check=True)
        records = lines(out / JOURNAL, "done")[1:]
        seconds = statistics.mean(record["seconds"] for record in records)
        rows.append(
            {"preset": preset, "seconds_each": round(seconds, 2), "pictures_per_core_hour": round(3600 / seconds)}
        )
    return rows


def nothing(task: Task, share: Share, stopped: Stopped) -> Outcome:
    return Outcome(task=task, status="done")


def million(root: Path, count: int = 1_000_000) -> dict[str, Any]:
    """The coordinator's own costs; each in this process, one after the other."""
    found: dict[str, Any] = {"names": count}
    before, started = resident_mb(), time.perf_counter()
    files = [Found(f"{number % 1000:03}/p{number:07}.jpg", 10_000, "1") for number in range(count)]
    tasks = [Task(item) for item in pair(files, files, Naming()).pairs]
    found["pairing_s"], found["tasks_mb"] = round(time.perf_counter() - started, 1), resident_mb() - before
    path = root / "million.jsonl"
    path.unlink(missing_ok=True)
    with Journal(path) as journal:
        line = Outcome(task=tasks[0], status="done", key="1" * 64, result_sha256="2" * 64, worker="host-17:12345")
        started = time.perf_counter()
        for task in tasks:
            journal.add(
                {"run": "0123456789ab", "name": task.pair.photo, "output": task.pair.output, "status": "started"}
            )
            record = {**line.record(), "name": task.pair.photo, "output": task.pair.output}
            journal.add({"run": "0123456789ab", **record})
        found["journal_write_s"] = round(time.perf_counter() - started, 1)
    found["journal_mb"] = path.stat().st_size // 10**6
    before, started = resident_mb(), time.perf_counter()
    known = known_pictures(path)
    found["journal_read_s"], found["known_mb"] = round(time.perf_counter() - started, 1), resident_mb() - before
    assert len(known) == count
    path.unlink()
    return found | scheduler_rate(root)


def scheduler_rate(root: Path, count: int = 3000) -> dict[str, Any]:
    """Empty tasks a second through one scheduler."""
    from patchloom.batch import cluster as module
    from patchloom.batch.pairing import Pair

    tasks = [Task(Pair(f"p{number}.jpg", "m.png", f"p{number}.jpg")) for number in range(count)]
    with Machines(root / "machines") as machines, module.Cluster(_nothing(), machines.address) as cluster:
        list(cluster.run(tasks[:50], lambda: False))
        started = time.perf_counter()
        assert len(list(cluster.run(tasks, lambda: False))) == count
        return {"scheduler_tasks_per_s": round(count / (time.perf_counter() - started))}


def _nothing() -> Any:
    """A work function that travels by value, since the workers do not have this file."""
    import cloudpickle

    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    return nothing


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("all", "accidents", "throughput", "sizes", "million"))
    parser.add_argument("--pictures", type=Path, default=Path("../shared/data/test136.tar"))
    parser.add_argument("--work", type=Path, required=True, help="an empty folder")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--throughput-count", type=int, default=150)
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    results: dict[str, Any] = {}
    if given.what in ("all", "accidents", "throughput"):
        broken = make_folder(given.pictures, given.work, given.count)
    if given.what in ("all", "throughput"):
        results["throughput"] = throughput(given.work, broken, given.throughput_count)
    if given.what in ("all", "accidents"):
        results["accidents"] = accidents(given.work, broken, given.count)
    if given.what in ("all", "sizes"):
        results["sizes"] = sizes(given.work)
    if given.what in ("all", "million"):
        results["million"] = million(given.work)
    text = json.dumps(results, indent=2)
    (given.work / "results.json").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
