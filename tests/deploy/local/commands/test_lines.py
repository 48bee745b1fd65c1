"""The lines about a stack: whole where they go to a file, and as wide as the terminal where somebody sees them."""

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from deploy.local.commands.lines import Folded, part_lines, parts_table, since_text
from deploy.local.stack.standing import Part

AT_US = 1_800_000_000_000_000
LINE = (
    "source orders: 12,345 events, 17 came late (all count), 3 dead letters; online 1,024 behind, archive 4,096 behind"
)
PARTS = [
    Part("kafka", "up", "the Kafka simulator; a restart keeps what the lake and Redis have taken", AT_US,
         address="127.0.0.1:21001"),
    Part("stream job", "waiting", "2 of 4 shards live; the others are being built", AT_US),
    Part("training", "failed", f"ended. The end of its log, /{'long/' * 30}training.log:\n    no rows", AT_US),
]  # fmt: skip


def printed(what, width, *, terminal=True):
    file = io.StringIO()
    console = Console(
        file=file, width=width, force_terminal=terminal, color_system=None, highlight=False, soft_wrap=not terminal
    )
    if isinstance(what, list):
        part_lines(console, what)
    else:
        console.print(what)
    return file.getvalue()


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("what", [Folded(LINE), parts_table(PARTS), PARTS], ids=["line", "table", "parts"])
def test_on_a_terminal_nothing_is_wider_than_it_and_nothing_is_cut_off(what, width):
    shown = printed(what, width)
    assert max(map(len, shown.splitlines())) <= width
    said = LINE if isinstance(what, Folded) else " ".join(f"{each.name} {each.state} {each.says}" for each in PARTS)
    whole = "".join(shown.split())
    assert all(word in whole for word in said.split() if len(word) < width // 2)


def test_what_is_folded_goes_on_a_little_to_the_right():
    first, *others = printed(Folded(LINE), 60).splitlines()
    assert first == "source orders: 12,345 events, 17 came late (all count), 3"
    assert all(each.startswith("    ") and each[4] != " " for each in others)


def test_elsewhere_a_line_stays_one_line():
    assert printed(Folded(LINE), 60, terminal=False) == f"{LINE}\n"


def test_parts_that_are_printed_one_by_one_stand_below_each_other():
    lines = printed(PARTS[:1], 120) + printed(PARTS[1:2], 120)
    assert len({line.index(state) for line, state in zip(lines.splitlines(), ("up ", "waiting"), strict=True)}) == 1


def test_since_is_the_time_of_today_and_the_day_of_an_earlier_one():
    at = datetime(2026, 11, 29, 7, 5, 9, tzinfo=UTC)
    time_us = int(at.timestamp() * 1e6)
    assert since_text(time_us, at.replace(hour=23)) == "07:05:09"
    assert since_text(time_us, at.replace(month=12, day=1)) == "  Nov 29"
