"""Rows: all registers of a tile side by side, kind after kind. The loops over them are written from the table of kinds.

Each operation is one function, whose text has one loop per kind, with no branch on a kind. Loops that call one another
in a chain give the same machine code, but the compiler optimizes the end of the chain again for each of its links.
"""

from collections.abc import Callable
from typing import Any

from shared_features.kernel.loops.compiled import inlined
from shared_features.kernel.loops.registers import KINDS

_PREPARE = """\
    at = tables.word_bounds[{kind}]
    for register in range(tables.kind_bounds[{kind}], tables.kind_bounds[{kind} + 1]):
        column = tables.register_columns[register]
        if column < 0:
            prepare_{kind}(row, at, event_time_us, event_time_us, digest)
        elif valid[column]:
            prepare_{kind}(row, at, values[column], event_time_us, digest)
        at += {words}
"""

_MERGE = """\
    for at in range(places[{kind}], places[{kind} + 1], {words}):
        merge_{kind}(into, row, at)
"""

_PUT = """\
    at = tables.word_bounds[{kind}]
    for register in range(tables.kind_bounds[{kind}], tables.kind_bounds[{kind} + 1]):
        place = put_{kind}(row, at, tile, tables.register_columns[register] < 0, buffer, place)
        at += {words}
"""

_GET = """\
    at = tables.word_bounds[{kind}]
    for register in range(tables.kind_bounds[{kind}], tables.kind_bounds[{kind} + 1]):
        place = get_{kind}(row, at, tile, tables.register_columns[register] < 0, buffer, place, end)
        at += {words}
"""


def _of_every_kind(signature: str, loop: str, result: str = "") -> Callable[..., Any]:
    """The function of that signature that runs the loop for each kind, in their order."""
    loops = "".join(loop.format(kind=int(kind), words=KINDS[kind].words) for kind in sorted(KINDS))
    text = f"def {signature}:\n{loops}    return {result}\n"
    names: dict[str, Any] = {
        f"{part}_{int(kind)}": each for kind, of in KINDS.items() for part, each in of._asdict().items()
    }
    exec(compile(text, f"<{signature}>", "exec"), names)  # the text comes from this file and the table alone
    written: Callable[..., Any] = names[signature.partition("(")[0]]
    return inlined(written)


prepare_row = _of_every_kind("prepare_row(tables, row, event_time_us, digest, values, valid)", _PREPARE)
"""Put one event in; a missing value leaves its registers alone."""
merge_rows = _of_every_kind("merge_rows(places, into, row)", _MERGE)
"""Merge the registers of a row into those of another; `places` are the table's `word_bounds`."""
put_row = _of_every_kind("put_row(tables, row, tile, buffer, place)", _PUT, "place")
"""Write the registers of a tile of more than one event; returns the next place."""
get_row = _of_every_kind("get_row(tables, row, tile, buffer, place, end)", _GET, "place")
"""Read them back; returns the next place, beyond `end` when bytes are missing or wrong."""
