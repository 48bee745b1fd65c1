"""The lines that a person sees of a stack: one per part, and what to do next.

On a terminal a long line is folded between its words; elsewhere it stays one line.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from deploy.local.stack.stack_directory import Remembered, StackDirectory
from deploy.local.stack.standing import Part, State
from streaming.operations.status.colours import BROKEN, STARTS, UNKNOWN, WAITS, WELL

if TYPE_CHECKING:
    from shared_features.definitions import Catalogue

_COLOURS: dict[State, str] = {
    "starting": STARTS,
    "up": WELL,
    "waiting": WAITS,
    "failed": BROKEN,
    "ended": UNKNOWN,
}


_NAME, _STATE = 10, 8
"""Widths of the columns, so that a part that is printed by itself stands below the others."""


def console() -> Console:
    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=200, soft_wrap=True)


@dataclass(frozen=True)
class Folded:
    """A line that is folded between its words, with what follows a little to the right. style: of all of it."""

    text: str
    style: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        for line in self.text.split("\n"):
            if options.no_wrap:
                yield Text(line, self.style)
            for each in () if options.no_wrap else _folded(line, options.max_width):
                yield Text(each, self.style)


def _folded(line: str, width: int) -> list[str]:
    indent = line[: len(line) - len(line.lstrip())]
    deeper = f"{indent}    "
    return textwrap.wrap(line, width, subsequent_indent=deeper, break_on_hyphens=False, tabsize=4) or [""]


def part_lines(console: Console, parts: Iterable[Part], *, with_date: bool = False) -> None:
    """Print parts, each by itself: as in the table of all on a terminal, else one line for each."""
    if console.is_terminal:
        console.print(parts_table(parts))
        return
    for part in parts:
        since = f" [dim](since {instant_text(part.since_us)})[/]" if with_date and part.since_us else ""
        console.print(f"{_part_line(part)}{since}")


def _part_line(part: Part) -> str:
    """One part, as rich's markup."""
    address = f" [bold]{escape(part.address)}[/]" if part.address and part.state != "failed" else ""
    return f"[{_COLOURS[part.state]}]{part.name:>10}  {part.state:<8}[/] {escape(part.says)}{address}"


def parts_table(parts: Iterable[Part]) -> Table:
    """All parts, a line each; a long line is folded beside its name."""
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", no_wrap=True, min_width=_NAME)
    table.add_column(no_wrap=True, min_width=_STATE)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for part in parts:
        colour = _COLOURS[part.state]
        says = Text(part.says)
        if part.address and part.state != "failed":
            says.append(f" {part.address}", "bold")
        since = Text(since_text(part.since_us, datetime.now(UTC)), UNKNOWN)
        table.add_row(Text(part.name, colour), Text(part.state, colour), since, says)
    return table


def since_text(time_us: int, now: datetime) -> str:
    """The time of today, or the day of an earlier one; as wide as each other. Blank for 0, when nobody knows."""
    if not time_us:
        return " " * 8
    at = datetime.fromtimestamp(time_us / 1e6, UTC)
    return f"{at:%H:%M:%S}" if at.date() == now.date() else f"{at:%b %d}".rjust(8)


def instant_text(time_us: int) -> str:
    """An instant as people read it."""
    return f"{datetime.fromtimestamp(time_us / 1e6, UTC):%Y-%m-%d %H:%M:%S} UTC"


def next_steps(directory: StackDirectory, remembered: Remembered, catalogue: Catalogue) -> list[str]:
    """Addresses, and what a person does next; plain text."""
    view = catalogue.views[0]
    url = remembered.serving_url
    return [
        f"Kafka          {remembered.kafka_address}",
        f"topics         {', '.join(source.topic for source in catalogue.sources)}",
        f"Redis          {remembered.redis_address}",
        f"endpoint       {url}/v1/views/{view.name}:predict",
        f"documentation  {url}/docs",
        f"logs           {directory.path / 'logs'}",
        f"in a shell     source {directory.environment_file}",
    ]
