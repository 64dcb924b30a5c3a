"""Pictures in a terminal that shows them, by kitty's protocol, iTerm's, or sixels: chafa draws."""

from __future__ import annotations

import ctypes
import shutil
import sys
from typing import TYPE_CHECKING, Any

from tempo_edge._extras import lacking
from tempo_edge.errors import MissingExtraError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["PROTOCOLS", "check_drawing", "drawn", "protocol_here"]

#: How a terminal is told of a picture, the finest way first.
PROTOCOLS = ("kitty", "iterm", "sixel")

# Columns and rows of letters that a picture takes at most.
_COLUMNS, _ROWS = 40, 12

# Pixels of a letter where the terminal doesn't tell: width and height.
_LETTER = 10, 20


def protocol_here() -> str | None:
    """The finest of :data:`PROTOCOLS` that the terminal is known for, by the environment.

    None where there is none, and where chafa is not installed. The terminal is asked nothing: its
    answer would come among what is typed.
    """
    try:
        import chafa
    except ImportError:
        return None
    begins = {
        "kitty": chafa.TermSeq.CHAFA_TERM_SEQ_BEGIN_KITTY_IMMEDIATE_IMAGE_V1,
        "iterm": chafa.TermSeq.CHAFA_TERM_SEQ_BEGIN_ITERM2_IMAGE,
        "sixel": chafa.TermSeq.CHAFA_TERM_SEQ_BEGIN_SIXELS,
    }
    terminal = chafa.TermDb().detect()
    return next((name for name in PROTOCOLS if terminal.have_seq(begins[name])), None)


def check_drawing() -> None:
    """Refuse to draw where nothing can.

    Raises:
        MissingExtraError: chafa is not installed.
    """
    _chafa()


def drawn(picture: NDArray[np.uint8], protocol: str) -> str:
    """What a terminal is told to show a picture, RGB uint8 ``[h, w, 3]``, by one of the protocols.

    Raises:
        MissingExtraError: chafa is not installed.
    """
    import numpy as np

    chafa = _chafa()
    modes = chafa.PixelMode
    mode = {
        "kitty": modes.CHAFA_PIXEL_MODE_KITTY,
        "iterm": modes.CHAFA_PIXEL_MODE_ITERM2,
        "sixel": modes.CHAFA_PIXEL_MODE_SIXELS,
    }[protocol]
    height, width, _ = picture.shape
    config = chafa.CanvasConfig()
    config.pixel_mode = mode
    config.canvas_mode = chafa.CanvasMode.CHAFA_CANVAS_MODE_TRUECOLOR
    config.cell_width, config.cell_height = letter = _letter()
    config.width = max(1, min(_COLUMNS, shutil.get_terminal_size().columns - 1))
    config.height = _ROWS
    config.calc_canvas_geometry(width, height, letter[0] / letter[1])
    canvas = chafa.Canvas(config)
    pixels = bytearray(np.ascontiguousarray(picture).tobytes())
    given = (ctypes.c_uint8 * len(pixels)).from_buffer(pixels)
    canvas.draw_all_pixels(chafa.PixelType.CHAFA_PIXEL_RGB8, given, width, height, 3 * width)
    # Whoever names a protocol knows more of the terminal than its environment does.
    told: bytes = canvas.print(chafa.TermDb().detect(), fallback=True)
    return told.decode("ascii") + "\n"


def _letter() -> tuple[int, int]:
    """Width and height of a letter of the terminal in pixels, as far as it tells them."""
    if sys.platform != "win32":
        try:
            import fcntl
            import struct
            import termios

            told = fcntl.ioctl(sys.stdout.fileno(), termios.TIOCGWINSZ, bytes(8))
        except (ImportError, OSError, ValueError):
            return _LETTER
        rows, columns, width, height = struct.unpack("HHHH", told)
        if rows and columns and width >= columns and height >= rows:
            return width // columns, height // rows
    return _LETTER


def _chafa() -> Any:
    try:
        import chafa
    except ImportError as error:
        raise MissingExtraError(lacking("chafa", "terminal")) from error
    return chafa
