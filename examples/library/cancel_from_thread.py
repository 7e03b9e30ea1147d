"""Cancel a fill from another thread, here a timer; a button or a closing window would do the same.

    python examples/library/cancel_from_thread.py photo.png mask.png filled.png 0.5

Prints whether the fill was done within so many seconds; nothing is written where it was not.
"""

import sys
import threading

from PIL import Image

from patchloom import Cancelled, CancelToken, inpaint


def main(photo_name: str, mask_name: str, output_name: str, seconds: str) -> None:
    token = CancelToken()
    timer = threading.Timer(float(seconds), token.cancel)
    timer.start()
    try:
        # guard() gives an observer that raises Cancelled once the token says so; it takes your own observer along.
        filled = inpaint(Image.open(photo_name), Image.open(mask_name), preset="fast", observe=token.guard())
    except Cancelled:
        print("stopped")
    else:
        filled.save(output_name)
        print("done")
    finally:
        timer.cancel()


if __name__ == "__main__":
    main(*sys.argv[1:5])
