"""A finding: what a look at one expectation of a stream found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_MOST_SAID = 5
_MOST_CHARACTERS = 120


@dataclass(frozen=True)
class Finding:
    """name: as metrics count it. expects, found: in words. checks, failures: how many were made, and failed.

    examples: of events that fail, as partition:offset.
    """

    name: str
    expects: str
    found: str
    met: bool
    warn: bool
    checks: int
    failures: int
    examples: tuple[str, ...] = ()

    def __str__(self) -> str:
        expects = self.expects if len(self.expects) <= _MOST_CHARACTERS else f"{self.expects[:_MOST_CHARACTERS]}..."
        such = f", such as {', '.join(self.examples)}" if self.examples else ""
        return f"{expects}: {self.found}{such}"


def said(unmet: Sequence[Finding]) -> str:
    """Findings as one bounded text. It names events by position and shows no value: a log outlives an erasure."""
    more = f"; and {len(unmet) - _MOST_SAID} more" if len(unmet) > _MOST_SAID else ""
    return "; ".join(map(str, unmet[:_MOST_SAID])) + more
