"""The board: the parts of a running stack. Each change is written for `status`, and told to everybody who looks on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from deploy.local.stack.processes import started
from deploy.local.stack.stack_directory import StackDirectory
from deploy.local.stack.standing import Part, Standing, State


class Board:
    """`told` is called with each part that changed."""

    def __init__(self, directory: StackDirectory, told: Callable[[Part], None]) -> None:
        self._directory, self._told = directory, told
        self.standing = Standing("starting", _now_us())
        self._write()

    def put(self, name: str, state: State, says: str, **more: Any) -> None:
        """A part's new state. What `more` does not give stays: pid, address, log."""
        before = self.standing.part(name)
        if pid := more.get("pid"):
            more["started"] = started(pid)
        if isinstance(log := more.get("log"), Path):
            more["log"] = str(log)
        if before is None:
            part = Part(name, state, says, _now_us(), **more)
            parts = (*self.standing.parts, part)
        else:
            since_us = before.since_us if before.state == state else _now_us()
            part = msgspec.structs.replace(before, state=state, says=says, since_us=since_us, **more)
            parts = tuple(part if each.name == name else each for each in self.standing.parts)
        if part == before:
            return
        self.standing = msgspec.structs.replace(self.standing, parts=parts)
        self._write()
        self._told(part)

    def state(self, name: str) -> State | None:
        part = self.standing.part(name)
        return None if part is None else part.state

    def phase(self, phase: str, error: str | None = None) -> None:
        if self.standing.phase != phase:
            self.standing = msgspec.structs.replace(self.standing, phase=phase, since_us=_now_us(), error=error)
            self._write()

    @contextmanager
    def until_the_end(self) -> Iterator[None]:
        """What happens meanwhile is the life of the stack. It ends with an error, or because somebody asked."""
        why = None
        try:
            yield
        except Exception as error:
            why = str(error)
            raise
        finally:
            self.phase("ended" if why is None else "failed", why)

    def _write(self) -> None:
        self._directory.show(self.standing)


def _now_us() -> int:
    return time.time_ns() // 1000
