"""A check of the gate: one thing that was asked, and what was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Check:
    """asked, found: texts. warns: what was found is told, and the version may become champion nevertheless."""

    asked: str
    found: str
    passed: bool
    warns: bool = False

    @property
    def missed(self) -> bool:
        """Whether it keeps the version from becoming champion."""
        return not (self.passed or self.warns)


def verdict_of(check: Mapping[str, Any]) -> str:
    """The verdict of a check of `promotion.json`, in one word.

    >>> verdict_of({"passed": False, "warns": True})
    'warning'
    """
    if check["passed"]:
        return "pass"
    return "warning" if check.get("warns") else "FAIL"
