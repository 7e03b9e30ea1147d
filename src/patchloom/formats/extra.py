"""Decoders that are not installed with the program but with one of its extras."""

from importlib import import_module
from types import ModuleType

from patchloom.errors import Unsupported


def required(module: str, extra: str, kind: str) -> ModuleType:
    """The module. Raises Unsupported where it is not installed."""
    try:
        return import_module(module)
    except ImportError as error:
        raise Unsupported(
            f"is {kind}, which needs a decoder that is not installed.",
            f"pip install 'patchloom[{extra}]', or save it as PNG or JPEG first.",
        ) from error
