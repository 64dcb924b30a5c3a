"""What a thumbnail shows of a decoded picture, and how its colours become red, green and blue."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MATRICES", "Colours", "Window"]

#: Shares of red and of blue in the light of a colour, by FFmpeg's name of the matrix.
MATRICES = {
    "bt709": (0.2126, 0.0722),
    "fcc": (0.30, 0.11),
    "smpte170m": (0.299, 0.114),
    "smpte240m": (0.212, 0.087),
    "bt2020": (0.2627, 0.0593),
}


@dataclass(frozen=True)
class Window:
    """The square of cells that a thumbnail shows of a grid over a picture, and which way up.

    A cell covers the same share of the picture as any other; where its edge lies between two
    samples, it has its part of both.

    Attributes:
        rows, columns: of the grid, over all of the picture as it is coded.
        top, left: the first cell that is shown.
        size: cells a side.
        transposed, mirrored, flipped: rows and columns change places, then left and right, then
            top and bottom.
    """

    rows: int
    columns: int
    top: int
    left: int
    size: int
    transposed: bool = False
    mirrored: bool = False
    flipped: bool = False

    @property
    def sharing(self) -> int:
        """Cells side by side that share their colour differences.

        FFmpeg's scaler has two do so in a grid of an even number of columns, and models know
        pictures as it shows them.
        """
        return 1 if self.columns % 2 else 2

    def __post_init__(self) -> None:
        inside = self.top + self.size <= self.rows and self.left + self.size <= self.columns
        if not (self.size > 0 and min(self.top, self.left) >= 0 and inside):
            raise ValueError(f"{self} must lie within its grid")


@dataclass(frozen=True)
class Colours:
    """Red, green and blue of light and colour differences, in 65,536ths, all whole numbers.

    Attributes:
        black: light of black, of 255.
        light: what a step of light is.
        red_of_v, green_of_u, green_of_v, blue_of_u: what a step of a colour difference adds.
    """

    black: int
    light: int
    red_of_v: int
    green_of_u: int
    green_of_v: int
    blue_of_u: int

    @staticmethod
    def of(matrix: str, full_range: bool) -> Colours:
        """The colours of a matrix of :data:`MATRICES`, from full or from studio range."""
        red, blue = MATRICES[matrix]
        green = 1 - red - blue
        light, colour = (1.0, 2.0) if full_range else (255 / 219, 255 / 112)
        steps = (
            light,
            colour * (1 - red),
            -colour * (1 - blue) * blue / green,
            -colour * (1 - red) * red / green,
            colour * (1 - blue),
        )
        return Colours(0 if full_range else 16, *(round(65536 * step) for step in steps))
