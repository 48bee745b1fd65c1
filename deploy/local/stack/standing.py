"""Where each part of a local stack stands: what the supervisor writes, and `status` and `up` read."""

from __future__ import annotations

from typing import Literal

import msgspec

State = Literal["starting", "up", "waiting", "failed", "ended"]


class Part(msgspec.Struct, frozen=True):
    """One part. says: one line. since_us: since when it is in this state; 0 where nobody knows.

    started: tells a process from a later one of the same id.
    """

    name: str
    state: State
    says: str
    since_us: int
    pid: int | None = None
    started: str | None = None
    address: str | None = None
    log: str | None = None


class Standing(msgspec.Struct, frozen=True):
    """All parts. error: why the stack could not start."""

    phase: Literal["starting", "ready", "stopping", "ended", "failed"]
    since_us: int
    parts: tuple[Part, ...] = ()
    error: str | None = None

    def part(self, name: str) -> Part | None:
        return next((each for each in self.parts if each.name == name), None)

    @property
    def failed(self) -> list[Part]:
        return [each for each in self.parts if each.state == "failed"]
