"""What a person sees while a stack starts: a line for each part that changes in place, or a line for each change."""

from __future__ import annotations

import sys
from types import TracebackType

from rich.live import Live

from deploy.local.commands.lines import console, part_lines, parts_table
from deploy.local.stack.standing import Part

_A_SECOND = 2.0


class Screen:
    """`told` shows a part. From `settle` on the lines stay where they are, and a part that changes is a line more."""

    def __init__(self, *, on_screen: bool | None = None) -> None:
        self.console = console()
        self._parts: dict[str, Part] = {}
        drawn = sys.stdout.isatty() if on_screen is None else on_screen
        self._live = (
            Live(console=self.console, refresh_per_second=_A_SECOND, vertical_overflow="visible") if drawn else None
        )

    def __enter__(self) -> Screen:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.settle()

    def told(self, part: Part) -> None:
        """A part that has changed. One that says the same again is not shown again."""
        before = self._parts.get(part.name)
        if before is not None and (before.state, before.says) == (part.state, part.says):
            return
        self._parts[part.name] = part
        if self._live is not None:
            self._live.update(parts_table(self._parts.values()), refresh=True)
        else:
            part_lines(self.console, [part])

    def settle(self) -> None:
        """Everything is up, or has failed."""
        if self._live is not None:
            self._live.stop()
            self._live = None
