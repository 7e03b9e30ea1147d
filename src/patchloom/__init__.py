"""patchloom: fill a hole in a photograph so that people can't tell.

>>> from patchloom import inpaint
>>> filled = inpaint(photo, mask)                       # doctest: +SKIP

``photo`` and ``mask`` are NumPy arrays or Pillow pictures, the result is of the photo's kind. Keep networks
loaded between calls with :class:`Inpainter`. Importing this package loads neither torch nor numba: the public
names stand in ``__init__.pyi``, for people, type checkers and the loader, and are loaded when they are asked for.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
