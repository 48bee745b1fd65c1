"""Tables that are drawn in several parts where a screen is too narrow for all of their columns."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, RenderableType
from rich.table import Table
from rich.text import Text

from streaming.operations.status.side_by_side import side_by_side

_GAP = 3
"""Between two columns: their padding, and the place of the line that the box does not draw."""
_FOLDED = 16
"""A column of text may be folded to this width before it stands in another part."""


class FittingTable:
    """left: numbers of the columns that hold text; the others hold numbers, and are never folded. breaks: numbers of
    the columns with which another part begins rather than elsewhere. row_names: numbers of the columns that name the
    rows, besides the first.
    """

    def __init__(
        self, *names: str, left: Collection[int] = (), breaks: Collection[int] = (), row_names: Collection[int] = ()
    ) -> None:
        self._names, self._left, self._breaks, self._row_names = names, {0, *left}, breaks, row_names
        self._rows: list[list[Text]] = []

    def add_row(self, *cells: str | Text) -> None:
        """As many cells as there are columns."""
        self._rows.append([Text(cell) if isinstance(cell, str) else cell for cell in cells])

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        parts = side_by_side(self._widths(), _GAP, options.max_width, self._breaks, self._row_names)
        for number, columns in enumerate(parts):
            if number:
                yield Text()
            yield self._part(columns, options.max_width)

    def _widths(self) -> list[int]:
        whole = [
            max(len(name), *(row[number].cell_len for row in self._rows), 0) for number, name in enumerate(self._names)
        ]
        return [min(width, _FOLDED) if number in self._left and number else width for number, width in enumerate(whole)]

    def _part(self, columns: Sequence[int], width: int) -> Table:
        table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold", padding=(0, 1))
        for number in columns:
            folded = number in self._left and number > 0
            table.add_column(
                self._names[number],
                justify="left" if number in self._left else "right",
                no_wrap=not folded,
                overflow="fold" if folded else "ellipsis",
                max_width=None if number else max(1, width // 2),
            )
        for row in self._rows:
            if any(row[number].plain for number in columns[1:]):
                table.add_row(*(row[number] for number in columns))
        return table
