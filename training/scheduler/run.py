"""A durable run as people and other programs see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Run:
    """One run. folder: its name below the folder of its view. steps: those that have ended, in order.

    began_at_ms: None while it waits. ended_at_ms: None until it ended. origin: the run that it was forked from.
    summary: `run_summary`, once it succeeded. imported: it was done elsewhere.
    """

    id: str
    status: str
    template: str
    parameters: Mapping[str, Any]
    asked_at: str
    folder: str
    error: str
    steps: tuple[str, ...] = ()
    began_at_ms: int | None = None
    ended_at_ms: int | None = None
    origin: str | None = None
    summary: Mapping[str, Any] = field(default_factory=dict)
    imported: bool = False
