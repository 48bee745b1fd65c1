"""A table of Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The table, one line per row. A bar inside a cell is escaped; an empty cell stays empty."""
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def code(text: object) -> str:
    """The text as code."""
    return f"`{text}`" if str(text) else ""


def one_line(text: str | None) -> str:
    """A docstring's first paragraph in one line."""
    return " ".join((text or "").partition("\n\n")[0].split())
