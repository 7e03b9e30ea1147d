"""What the API answers when it cannot do what was asked: RFC 9457 problems with a stable ``code``."""

from typing import Any

from patchloom.errors import PatchloomError

MEDIA_TYPE = "application/problem+json"

STATUS_OF_CODE = {
    "bad_settings": 422,
    "bad_photo": 422,
    "bad_mask": 422,
    "bad_input": 422,
    "bad_weights": 422,
    "over_budget": 413,
    "memory_limit": 413,
    "time_limit": 504,
    "cancelled": 409,
    "missing_extra": 501,
}


class Problem(Exception):  # noqa: N818 - the name of the thing in RFC 9457
    """An answer that is not a success: HTTP status, machine-readable code, a sentence, a next step."""

    def __init__(
        self, status: int, code: str, message: str, hint: str = "", headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.hint = hint
        self.headers = headers or {}

    @classmethod
    def of(cls, error: PatchloomError) -> "Problem":
        return cls(STATUS_OF_CODE.get(error.code, 400), error.code, str(error), error.hint)

    def body(self, request_id: str) -> dict[str, Any]:
        """The JSON members of the answer."""
        return {
            "type": "about:blank",
            "status": self.status,
            "code": self.code,
            "title": self.message,
            "detail": self.hint,
            "request_id": request_id,
        }
