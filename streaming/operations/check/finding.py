"""What a check found: how bad it is, about what, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["refused", "away", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """refused: running would be unsafe. away: could not be looked at. warning: think about it.

    `waits`: a running dataflow waits for this by itself, so `run` starts all the same.
    """

    level: Level
    about: str
    text: str
    waits: bool = False

    @property
    def stops_run(self) -> bool:
        return self.level == "refused" and not self.waits

    def __str__(self) -> str:
        return f"{self.about}: {self.text}"
