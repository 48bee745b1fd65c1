"""Answers that cost much, kept as long as nothing changed, and asked for again no more often than their cost allows."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

_SHARE = 0.05

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class _Kept:
    answer: Any
    version: object
    again_s: float


class KeptAnswers:
    """At most a twentieth of the time goes into scans, however large tables are and however often somebody looks."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, share: float = _SHARE) -> None:
        self._clock, self._share = clock, share
        self._kept: dict[object, _Kept] = {}

    def get(self, name: object, version: object, ask: Callable[[], Answer]) -> Answer:
        """What was answered for this version, or lately; else what `ask` answers now. Nothing is kept if it raises."""
        kept, began_s = self._kept.get(name), self._clock()
        if kept is not None and (kept.version == version or began_s < kept.again_s):
            return cast(Answer, kept.answer)
        answer = ask()
        ended_s = self._clock()
        self._kept[name] = _Kept(answer, version, ended_s + (ended_s - began_s) / self._share)
        return answer
