"""The lines that a person sees of a stack: one per part, and what to do next."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from deploy.local.stack_directory import Remembered, StackDirectory
from deploy.local.standing import Part, State
from shared_features.definitions import Catalogue
from shared_features.kernel.event_time import to_datetime

_COLOURS: dict[State, str] = {
    "starting": "cyan",
    "up": "green",
    "waiting": "yellow",
    "failed": "bold red",
    "ended": "dim",
}
"""green: works. yellow: waits for something. red: ended, and nobody asked it to."""


def console() -> Console:
    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=200, soft_wrap=True)


def part_line(part: Part) -> str:
    """One part, as rich's markup."""
    address = f" [bold]{escape(part.address)}[/]" if part.address and part.state != "failed" else ""
    return f"[{_COLOURS[part.state]}]{part.name:>10}  {part.state:<8}[/] {escape(part.says)}{address}"


def part_with_age(part: Part) -> str:
    """The same, with the time since when it is so."""
    since = f"[dim](since {to_datetime(part.since_us):%Y-%m-%d %H:%M:%S} UTC)[/]"
    return f"{part_line(part)} {since}"


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
