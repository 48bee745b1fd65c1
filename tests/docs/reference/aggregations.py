"""The page of aggregations, from their classes and from what the kernel answers for an empty window."""

from __future__ import annotations

import math

import numpy as np

from shared_features import Aggregate, Decimal, Entity, EventSource, FeatureGroup, Field, Text, Timestamp, days
from shared_features.kernel.aggregations import Aggregation
from shared_features.kernel.loops.registers import KINDS, Register
from shared_features.kernel.replay import read
from shared_features.kernel.tile_state import TileState
from tests.docs.reference.table import code, one_line, table

HEAD = """\
# Aggregations

What an `Aggregate` can compute of a column, or of the events themselves (column `None`). The name of a feature is
`<column>_<name>_<window>`, as in `price_mean_7d`.

A Boolean counts as 1 and 0: its `Mean` is the share of the events in which it is true, and its `Sum` their number.

"""
FOOT = """
A *tile* holds the registers of one entity for one hop. The last column of the first table is what a tile holds of one
column, in memory; in Redis small numbers take fewer bytes. Aggregations of one column share their registers: `Count`,
`Sum`, `Mean` and `Std` of one column over four windows keep one count, one sum and one sum of squares per tile.

No figure is measured for one aggregation alone. [Performance](../performance.md#figures) has that of a whole group: how
many events a second the kernel applies to 25 features of 4 windows, and how many entities a second it reads.
"""
_SOURCE = EventSource(
    name="a",
    topic="a",
    fields=(Field("id", Text()), Field("at", Timestamp()), Field("number", Decimal(2, low=0, high=9))),
    event_id="id",
    event_time="at",
)


def page() -> str:
    kinds = [each for each in Aggregation.__subclasses__() if each.__module__.startswith("shared_features.")]
    head = ("aggregation", "what it is", "of a text", "without a column", "unit", "of no event", "bytes in a tile")
    rows = [_row(kind) for kind in kinds]
    registers = table(("register", "bytes"), [(code(each.name.lower()), _bytes(each)) for each in Register])
    return f"{HEAD}{table(head, rows)}\n## Registers\n\n{registers}{FOOT}"


def _row(kind: type[Aggregation]) -> tuple[object, ...]:
    yes = {True: "yes", False: "no"}
    unit = "that of the column" if kind.unit is None else kind.unit or "a number"
    held = " + ".join(_bytes(each, kind()) for each in kind.registers)
    return (
        code(kind.__name__), one_line(kind.__doc__), yes[kind.of_texts], yes[not kind.needs_column], unit,
        _of_nothing(kind()), held,
    )  # fmt: skip


def _bytes(register: Register, of: Aggregation | None = None) -> str:
    if register in KINDS:
        return str(8 * KINDS[register].words)
    return f"8 for each different value, {8 * of.set_size:,} at most" if of else "8 for each different value, k at most"


def _of_nothing(of: Aggregation) -> str:
    group = FeatureGroup("g", 1, Entity("e", keys=("id",)), (_SOURCE,), (Aggregate("number", of, (days(1),)),))
    state = TileState(group.layout)
    value = float(read(state, state.add(1), np.array([10**15]))[0][0])
    return "NaN" if math.isnan(value) else f"{value:g}"
