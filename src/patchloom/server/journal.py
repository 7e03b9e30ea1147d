"""A job on the disk: what a server that starts again needs to go on with it, in a file in the job's folder.

Written whole when the job is accepted, when it begins and when it is over. A server with a folder of its own
(``--folder``) takes up the jobs of those that have ended there, however they ended.
"""

import json
import logging
from pathlib import Path
from typing import Any

from patchloom.outputs import in_place_of
from patchloom.server.job import Job

FILE = "job.json"
KEPT = (
    "id", "kind", "task", "created", "status", "client", "key", "digest", "started", "finished", "warnings",
    "error", "result", "servers", "lost",
)  # fmt: skip

log = logging.getLogger("patchloom.server")


def write(job: Job) -> None:
    """Raises OSError where the disk is full."""
    record: dict[str, Any] = {name: getattr(job, name) for name in KEPT}
    with in_place_of(job.folder / FILE) as part:
        part.write_text(json.dumps(record))


def rewrite(job: Job) -> None:
    """As :func:`write`, but where that cannot be done the last record stands: at worst the job is done again."""
    try:
        write(job)
    except OSError as error:
        log.warning("The record of job %s cannot be written: %s", job.id, error.strerror)


def read(folder: Path) -> Job | None:
    """The job in ``folder``, or None where there is none that can be read."""
    try:
        record = json.loads((folder / FILE).read_text())
        task = {**record["task"], "folder": str(folder)}
        return Job(folder=folder, durable=True, **{name: record[name] for name in KEPT} | {"task": task})
    except (OSError, ValueError, KeyError, TypeError):
        return None
