"""One finding of a check: how bad it is, what it is about, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["refused", "away", "broken", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """refused: a run would be unsafe. away: could not be checked. broken: a run is safe, but what is broken
    keeps training and serving from their work. warning: a run is safe, but should be improved.

    `waits`: a running dataflow waits for this by itself, so `run` starts nevertheless.
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
