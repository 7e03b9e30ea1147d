"""What the API answers when it cannot do what was asked: RFC 9457 problems with a stable ``code``."""

import json
from dataclasses import fields

from patchloom.errors import PatchloomError, as_hint
from patchloom.settings import FileSettings, FillSettings

MEDIA_TYPE = "application/problem+json"

STATUS_OF_CODE = {
    "bad_settings": 422,
    "bad_photo": 422,
    "bad_mask": 422,
    "bad_input": 422,
    "bad_output": 422,
    "unsupported": 415,
    "too_large": 413,
    "bad_weights": 422,
    "over_budget": 413,
    "memory_limit": 413,
    "time_limit": 504,
    "cancelled": 409,
    "no_space": 507,
    "missing_extra": 501,
    "internal_error": 500,
    "worker_crashed": 500,
}


def status_of(code: str) -> int:
    """The HTTP status of an error's code."""
    return STATUS_OF_CODE.get(code, 400)


FIELDS = {item.name for kind in (FillSettings, FileSettings) for item in fields(kind)}


def for_clients(advice: str) -> str:
    """The hint that a client of the API can follow: what names something that is no field is left out."""
    return as_hint(advice, lambda name: name if name in FIELDS else None)


def as_iopaint(path: str) -> bool:
    """Whether it is of IOPaint's API, whose clients look for other keys in an error."""
    return path.startswith("/api/v1/") or path == "/inpaint"


class Problem(Exception):  # noqa: N818 - the name of the thing in RFC 9457
    """An answer that is not a success: HTTP status, machine-readable code, a sentence, the next step as advice."""

    def __init__(
        self, status: int, code: str, message: str, advice: str = "", headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.advice = advice
        self.headers = headers or {}

    @classmethod
    def disk_full(cls) -> "Problem":
        return cls(507, "no_space", "The server's disk is full.", "Try again later.", {"Retry-After": "60"})

    @classmethod
    def stopping(cls) -> "Problem":
        return cls(503, "stopping", "The server is stopping.", "Send it again.", {"Retry-After": "10"})

    @classmethod
    def of(cls, error: PatchloomError) -> "Problem":
        return cls(status_of(error.code), error.code, str(error), error.advice)

    def answer(self, path: str, request_id: str) -> tuple[bytes, str]:
        """The body of the answer to a request for ``path``, and its media type. IOPaint's clients look for four
        keys of its own."""
        if as_iopaint(path):
            text = f"{self.message} {as_hint(self.advice, lambda name: None)}".strip()
            iopaint = {"error": "Bad request", "detail": text, "body": "", "errors": text}
            return json.dumps(iopaint).encode(), "application/json"
        problem = {
            "type": "about:blank",
            "status": self.status,
            "code": self.code,
            "title": self.message,
            "detail": for_clients(self.advice),
            "request_id": request_id,
        }
        return json.dumps(problem).encode(), MEDIA_TYPE
