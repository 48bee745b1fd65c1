"""Which columns of a table stand side by side on a screen of some width."""

from __future__ import annotations

from collections.abc import Collection, Sequence


def side_by_side(
    widths: Sequence[int], gap: int, width: int | None, breaks: Collection[int] = (), names: Collection[int] = ()
) -> list[list[int]]:
    """The numbers of the columns of each part. Every part begins with column 0, which names the rows.

    gap: between two columns. width: of the screen; None: as wide as it needs. breaks: columns with which another part
    begins, if one part does not do. names: columns that name the rows too, for all columns after them.

    >>> side_by_side([5, 4, 4, 4], 2, 80)
    [[0, 1, 2, 3]]
    >>> side_by_side([5, 4, 4, 4], 2, 17)
    [[0, 1, 2], [0, 3]]
    >>> side_by_side([5, 4, 4, 4], 2, 17, breaks=[2])
    [[0, 1], [0, 2, 3]]
    >>> side_by_side([5, 4, 4, 4], 2, 17, names=[1])
    [[0, 1, 2], [0, 1, 3]]
    """

    def taken(columns: Sequence[int]) -> int:
        return sum(widths[number] for number in columns) + gap * (len(columns) - 1)

    everything = list(range(len(widths)))
    if width is None or taken(everything) <= width:
        return [everything]
    parts = [[0]]
    for column in everything[1:]:
        head = [0, *(each for each in names if each < column)]
        if parts[-1] != head and len(parts[-1]) > 1 and (column in breaks or taken([*parts[-1], column]) > width):
            parts.append(head)
        parts[-1].append(column)
    return parts
