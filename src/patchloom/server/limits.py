"""How much the server lets anybody ask of it."""

from dataclasses import dataclass

from patchloom.settings import Checked, option


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits(Checked):
    """Every limit of the server; each is a flag of ``patchloom serve``."""

    section = "Limits"

    max_request_mb: int = option(320, "Largest request in MB; refused before it is read.", ge=1, le=100_000)
    max_megapixels: float = option(64.0, "Largest photo in megapixels; refused before it is decoded.", ge=0.001)
    max_references: int = option(8, "Pictures that one fill may bring as references.", ge=0, le=256)
    max_queue: int = option(16, "Jobs that may wait; the next is told to come back later.", ge=1, le=10_000)
    max_queue_per_client: int = option(
        0, "Jobs of one address that may wait; 0 is as many as may wait at all.", ge=0, le=10_000
    )
    job_seconds: float = option(1800.0, "Seconds one job may take.", ge=0.1)
    job_memory_mb: int = option(0, "Memory one job may take in MB; 0 is nine tenths of the machine's.", ge=0)
    keep_minutes: float = option(60.0, "Minutes for which a finished job's files are kept.", ge=0)
    max_disk_mb: int = option(4096, "Disk for all jobs in MB; the oldest results go first.", ge=1)
    max_streams: int = option(16, "Event streams open at the same time.", ge=1, le=1000)
    patience_seconds: float = option(30.0, "Seconds after which a client that sends nothing is closed.", ge=0.1)

    @property
    def request_bytes(self) -> int:
        return self.max_request_mb << 20

    @property
    def pixels(self) -> int:
        return int(self.max_megapixels * 1e6)


SETTINGS_BYTES = 64 << 10  # of the JSON text that comes with a job
