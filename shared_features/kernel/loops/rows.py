"""Rows: all registers of a tile side by side, kind after kind. The loops over them are written from the table of kinds.

Each operation is one function, whose text has one loop per kind, with no branch on a kind. Loops that call one another
in a chain give the same machine code, but the compiler optimizes the end of the chain again for each of its links.
"""

from collections.abc import Callable
from typing import Any

from shared_features.kernel.loops.compiled import called, inlined
from shared_features.kernel.loops.events import DIGEST, TIME, VALUES
from shared_features.kernel.loops.machine_words import one_by_one, word_at
from shared_features.kernel.loops.registers import KINDS, Register

_PREPARE = """\
    at = word_bounds[{kind}]
    for register in range(kind_bounds[{kind}], kind_bounds[{kind} + 1]):
        column = register_columns[register]
        value = TIME if column < 0 else VALUES + column
        valid = VALUES + column + ((events.shape[1] - VALUES) >> 1)
        {held} = {of_row}
        for event in range(first, stop):
            one_by_one()
            if column < 0 or word_at(events, event, valid):
                {held} = prepare_{kind}({held}, {of_event})
        {of_row} = {held}
        at += {words}
"""

_MERGE = """\
    for at in range(word_bounds[{kind}], word_bounds[{kind} + 1], {words}):
        {held} = {of_into}
        for tile in range(first, stop):
            one_by_one()
            {held} = merge_{kind}({held}, {of_tile})
        {of_into} = {held}
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


def _of_every_kind(signature: str, loop: str, result: str = "", first: Register = Register.COUNT) -> Callable[..., Any]:
    """The function of that signature that runs the loop for each kind from `first` on, in their order."""
    kinds = [kind for kind in sorted(KINDS) if kind >= first]
    loops = "".join(loop.format(kind=int(kind), **_of_words(KINDS[kind].words)) for kind in kinds)
    text = f"def {signature}:\n{loops}    return {result}\n"
    names: dict[str, Any] = {
        f"{part}_{int(kind)}": each for kind, of in KINDS.items() for part, each in of._asdict().items()
    }
    names |= {"TIME": TIME, "DIGEST": DIGEST, "VALUES": VALUES}
    names |= {"one_by_one": one_by_one, "word_at": word_at}
    exec(compile(text, f"<{signature}>", "exec"), names)  # the text comes from this file and the table alone
    written: Callable[..., Any] = names[signature.partition("(")[0]]
    return written


def _of_words(words: int) -> dict[str, Any]:
    """How a loop writes the words of a register: as variables. The compiler holds those in the processor's own."""
    numbers = range(words)
    return {
        "words": words,
        "held": ", ".join(f"held_{i}" for i in numbers),
        "of_row": ", ".join(f"row[at + {i}]" for i in numbers),
        "of_into": ", ".join(f"into[at + {i}]" for i in numbers),
        "of_tile": ", ".join(f"word_at(rows, tile, at + {i})" for i in numbers),
        "of_event": ", ".join(f"word_at(events, event, {each})" for each in ("value", "TIME", "DIGEST")),
    }


_prepare_events = _of_every_kind(
    "prepare_events(kind_bounds, word_bounds, register_columns, row, events, first, stop)", _PREPARE
)
prepare_events = called(_prepare_events)
"""Put the events at `first .. stop` of a pool of heads into a row; a missing value leaves its registers alone."""
prepare_event = inlined(_prepare_events)
"""The same, for one event and many rows: a call would cost as much as the event."""
prepare_rest = called(
    _of_every_kind(
        "prepare_rest(kind_bounds, word_bounds, register_columns, row, events, first, stop)",
        _PREPARE,
        first=Register.SQUARES,
    )
)
"""The same, of all kinds but counts and sums."""
merge_rows = called(_of_every_kind("merge_rows(word_bounds, into, rows, first, stop)", _MERGE))
"""Merge the registers of the rows at `first .. stop` into those of another, which is not among them."""
merge_extremes = called(
    _of_every_kind("merge_extremes(word_bounds, into, rows, first, stop)", _MERGE, first=Register.MIN)
)
"""The same, of the kinds that do not add."""
put_row = inlined(_of_every_kind("put_row(tables, row, tile, buffer, place)", _PUT, "place"))
"""Write the registers of a tile of more than one event; returns the next place."""
get_row = inlined(_of_every_kind("get_row(tables, row, tile, buffer, place, end)", _GET, "place"))
"""Read them back; returns the next place, beyond `end` when bytes are missing or wrong."""
