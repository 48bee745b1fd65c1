"""The lines that a person sees of a stack: one per part, and what to do next."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from deploy.local.stack_directory import Remembered, StackDirectory
from deploy.local.standing import Part, State
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


def console() -> Console:
    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=200, soft_wrap=True)


def part_line(part: Part) -> str:
    """One part, as rich's markup."""
    address = f" [bold]{escape(part.address)}[/]" if part.address and part.state != "failed" else ""
    return f"[{_COLOURS[part.state]}]{part.name:>10}  {part.state:<8}[/] {escape(part.says)}{address}"


def part_with_age(part: Part) -> str:
    """The same, with the time since when it is so."""
    return f"{part_line(part)} [dim](since {instant_text(part.since_us)})[/]"


def parts_table(parts: Iterable[Part]) -> Table:
    """All parts, a line each; a long line is folded beside its name."""
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for part in parts:
        colour = _COLOURS[part.state]
        says = Text(part.says)
        if part.address and part.state != "failed":
            says.append(f" {part.address}", "bold")
        since = Text(instant_text(part.since_us)[11:19], UNKNOWN)
        table.add_row(Text(part.name, colour), Text(part.state, colour), since, says)
    return table


def instant_text(time_us: int) -> str:
    """An instant as people read it."""
    return f"{datetime.fromtimestamp(time_us / 1e6, UTC):%Y-%m-%d %H:%M:%S} UTC"


def next_steps(directory: StackDirectory, remembered: Remembered, catalogue: Catalogue) -> str:
    """Addresses, and what a person does next; plain text."""
    view = catalogue.views[0]
    url = f"http://127.0.0.1:{remembered.serving_port}"
    lines = [
        f"Kafka      {remembered.kafka_address}   topics {', '.join(source.topic for source in catalogue.sources)}",
        f"Redis      {remembered.redis_address}",
        f"endpoint   {url}/v1/views/{view.name}:predict   documentation {url}/docs",
        f"logs       {directory.path / 'logs'}",
        f"in a shell source {directory.environment_file}",
    ]
    return "\n".join(lines)
