"""What whoever runs the server sees of it: a line a request, figures for Prometheus, and whether to send it work.

``/api/health`` answers as long as the process lives; ``/api/ready`` only while a job sent now would be taken and
begun. ``/metrics`` needs the extra ``metrics`` (prometheus-client) and, like everything else, the token.
"""

import json
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any, Literal

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from patchloom import __version__
from patchloom.server import openapi
from patchloom.server.job import Job
from patchloom.server.jobs import Jobs
from patchloom.server.limits import Limits
from patchloom.server.problems import Problem
from patchloom.server.security import Answered
from patchloom.server.storage import LEAST_ROOM

AccessLog = Literal["off", "text", "json"]
SECONDS = (0.5, 1, 2, 5, 10, 30, 60, 300, 1800)  # buckets of the jobs' times

log = logging.getLogger("patchloom.access")


def access_log(kind: AccessLog) -> Callable[[Answered], None]:
    """Writes a line for every answer: text in the manner of the common log format, or one JSON object."""

    def text(answered: Answered) -> None:
        job = f" job={answered.job}" if answered.job else ""
        took = f"{answered.seconds * 1000:.0f}ms"
        line = f'{answered.client or "-"} "{answered.method} {answered.path}" {answered.status} {answered.bytes}'
        log.info(f"{line} {took} request={answered.request}{job}")

    def as_json(answered: Answered) -> None:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        log.info(json.dumps({"time": stamp, **answered._asdict()}))

    def nothing(answered: Answered) -> None:
        pass

    return {"text": text, "json": as_json, "off": nothing}[kind]


def add_operations_routes(api: FastAPI, jobs: Jobs, limits: Limits) -> None:
    """Readiness and metrics."""
    figures = Figures(jobs, limits)

    @api.get(
        "/api/ready",
        tags=["server"],
        summary="Whether a job sent now would be taken and begun",
        responses=openapi.errors(503),
    )
    async def ready() -> Response:
        reasons = {
            "The server is stopping.": jobs.stopping,
            "The disk is full.": jobs.storage.room() < LEAST_ROOM,
            "The queue is full.": jobs.waiting() >= limits.max_queue,
            "The worker is starting.": not jobs.ready,
        }
        reason = next((reason for reason, holds in reasons.items() if holds), "")
        if not reason:
            return JSONResponse({"status": "ready"}, headers={"Cache-Control": "no-store"})
        raise Problem(503, "not_ready", reason, "Try again in a moment.", {"Retry-After": "5"})

    @api.get(
        "/metrics",
        tags=["server"],
        summary="Figures for Prometheus",
        responses=openapi.FIGURES | openapi.errors(501),
        response_class=Response,
    )
    async def metrics(request: Request) -> Response:
        try:
            import prometheus_client
        except ModuleNotFoundError as error:
            hint = "On the server: pip install 'patchloom[metrics]'"
            raise Problem(501, "no_metrics", "prometheus-client is not installed.", hint) from error
        registry = prometheus_client.CollectorRegistry()
        registry.register(figures)
        return Response(
            prometheus_client.generate_latest(registry), media_type=prometheus_client.CONTENT_TYPE_LATEST
        )


class Figures:
    """A collector of prometheus-client; everything is read from the jobs when it is asked for."""

    def __init__(self, jobs: Jobs, limits: Limits) -> None:
        self.jobs, self.limits = jobs, limits
        self.ended: dict[str, int] = {"done": 0, "failed": 0, "cancelled": 0}
        self.seconds = 0.0
        self.buckets = [0] * (len(SECONDS) + 1)
        jobs.on_finished(self.count)

    def count(self, job: Job) -> None:
        """Called by the jobs at every end, one at a time."""
        self.ended[job.status] = self.ended.get(job.status, 0) + 1
        if job.status == "done" and job.started:
            took = job.finished - job.started
            self.seconds += took
            self.buckets[next((i for i, top in enumerate(SECONDS) if took <= top), len(SECONDS))] += 1

    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import (
            CounterMetricFamily,
            GaugeMetricFamily,
            HistogramMetricFamily,
            InfoMetricFamily,
        )

        yield InfoMetricFamily("patchloom", "The program", {"version": __version__})
        yield GaugeMetricFamily("patchloom_ready", "1: the worker takes jobs", float(self.jobs.ready))
        yield GaugeMetricFamily("patchloom_jobs_waiting", "Jobs in the queue", self.jobs.waiting())
        yield GaugeMetricFamily("patchloom_disk_free_bytes", "Free for jobs' files", self.jobs.storage.room())
        yield GaugeMetricFamily("patchloom_queue_places", "Jobs that may wait", self.limits.max_queue)
        ended = CounterMetricFamily("patchloom_jobs", "Jobs that have ended, by how", labels=["status"])
        for status, number in self.ended.items():
            ended.add_metric([status], number)
        yield ended
        edges = [*map(str, SECONDS), "+Inf"]
        counts = [sum(self.buckets[: i + 1]) for i in range(len(edges))]
        seconds = HistogramMetricFamily("patchloom_job_seconds", "Seconds from a job's start to its result")
        seconds.add_metric([], list(zip(edges, counts, strict=True)), self.seconds)
        yield seconds
