"""How a chat model is asked about a window: each frame's time is said before its picture.

Training and search word their prompts with this one class, so that what the model learned is what
it is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction

from tempo_edge import eta

__all__ = ["ASKED", "WANTED", "Chat"]

ASKED = "Here are frames of a video, each after its time. When does this happen: {query}\n"
WANTED = (
    "\nAnswer with spans of these times only, such as 12.4-15.8;20.0-21.3: each from the time of "
    "its first frame to the time that comes after its last frame. If it never happens, answer none."
)


@dataclass(frozen=True)
class Chat:
    """The pieces of a prompt, as a checkpoint's chat template has them.

    Attributes:
        before, after: what stands before the question, and between the frames and the answer.
        opens, sight, closes: what stands for a picture: ``sight`` once for each of its tokens.
        unit: what follows a number of seconds in a time stamp.
        lead: what an answer begins with.
    """

    before: str
    opens: str
    sight: str
    closes: str
    after: str
    unit: str = "s"
    lead: str = ""

    def stamp(self, seconds: float | Fraction) -> str:
        """The time stamp before a frame, rounded once, to a tenth.

        >>> Chat("", "", "", "", "", unit=" seconds").stamp(12.43)
        '<12.4 seconds>'

        Raises:
            ValueError: the time is negative.
        """
        return f"<{eta.number(eta.tenths(seconds))}{self.unit}>"

    def prompt(
        self,
        query: str,
        seconds: Sequence[float | Fraction],
        end_seconds: float | Fraction,
        token_counts: Sequence[int] | None = None,
    ) -> str:
        """The prompt of a question about frames at these times, up to where the answer begins.

        The last time said is when the window ends, so that every boundary of it has been named.
        ``token_counts`` are how many visual tokens each picture has, one if None.

        Raises:
            ValueError: there is no frame, a time is negative, or ``token_counts`` are not as many.
        """
        if not seconds:
            raise ValueError("seconds [] must hold at least one frame's")
        counts = [1] * len(seconds) if token_counts is None else token_counts
        shown = "".join(
            self.stamp(time) + self.opens + self.sight * count + self.closes
            for time, count in zip(seconds, counts, strict=True)
        )
        asked = ASKED.format(query=query)
        return f"{self.before}{asked}{shown}{self.stamp(end_seconds)}{WANTED}{self.after}"

    def answer(self, said: str) -> str | None:
        """The answer in the language of times; None if the text does not begin as answers do."""
        return said[len(self.lead) :] if said.startswith(self.lead) else None

    def to_json(self) -> dict[str, str]:
        """The pieces by their names."""
        return asdict(self)
