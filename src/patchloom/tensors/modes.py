"""torch's modes, which a program that calls us may have set for itself: what we compute does not depend on them.

Inference mode and no_grad forbid the gradients that the neural stage follows, autocast rounds what it computes,
and a default type or device is that of whatever is made without being told. Every way in (fill, harmonise, paste,
burst, training, the loading of networks, which are kept) is in :func:`own_modes`, which leaves all as it was.
"""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch

_lock = threading.Lock()
_inside = 0  # calls that are under way in this process
_before = torch.float32  # torch's default type before the first of them began


@contextmanager
def own_modes() -> Iterator[None]:
    """Within, torch's modes are those it begins with: gradients, no autocast, float32, on the processor.

    All but the default type are a thread's own, and new threads have none of the caller's. Also a decorator.
    """
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        for kind in ("cpu", "cuda", "mps"):
            if torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        if torch.get_default_device().type != "cpu":
            stack.enter_context(torch.device("cpu"))
        stack.enter_context(_float32())
        yield


@contextmanager
def _float32() -> Iterator[None]:
    """The default type is the process's: it is as before once nobody is inside any more."""
    global _inside, _before
    with _lock:
        if _inside == 0:
            _before = torch.get_default_dtype()
        _inside += 1
        torch.set_default_dtype(torch.float32)
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                torch.set_default_dtype(_before)
