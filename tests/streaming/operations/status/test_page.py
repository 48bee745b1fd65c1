"""The live page: what it says of two looks, and in which colours."""

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from streaming.operations.status.answer import (
    GroupStatus,
    PartitionStatus,
    ScoresStatus,
    SourceStatus,
    Status,
    WaitStatus,
)
from streaming.operations.status.page import StatusPages, status_page
from streaming.operations.status.shard import ShardStatus

NOW_US = 1_800_000_000_000_000


def partitions(end, online, archive):
    return [PartitionStatus(0, 0, end, {"online": online, "archive": archive})]


BEFORE = Status(
    at_us=NOW_US - 20_000_000,
    away={},
    waits=[],
    sources=[
        SourceStatus(
            "readings",
            "plant.readings",
            partitions(1_000, 899, 999),
            events=990,
            late=3,
            duplicates=2,
            dead_letters=10,
            dead_letter_reasons={"out of bounds N to N: N - at $.celsius": 10},
            watermark_us=NOW_US,
        )
    ],
    groups=[
        GroupStatus(
            "machine_heat:v3",
            [ShardStatus(0, "live"), ShardStatus(1, "behind", 50.0, 12.0), ShardStatus(2, "absent")],
            lag=100,
            freshness_s=2.0,
            committed_age_s=1.0,
            cut_us={"readings": NOW_US},
            feature_rows={"readings": 980},
        )
    ],
)
NOW = replace(
    BEFORE,
    at_us=NOW_US,
    away={"Redis": "Connection refused"},
    waits=[WaitStatus("host online", "waiting for Kafka", "no answer", NOW_US - 9_000_000)],
    sources=[
        replace(
            BEFORE.sources[0],
            partitions=partitions(1_200, 899, 1_099),
            events=1_090,
            dead_letters=12,
            dead_letter_reasons={"out of bounds N to N: N - at $.celsius": 12},
        )
    ],
)


def text_of(page, *, colours=False, environment=None, width=160):
    file = io.StringIO()
    console = Console(
        file=file, width=width, force_terminal=colours, color_system="standard" if colours else None,
        highlight=False, _environ=environment or {},
    )  # fmt: skip
    console.print(page)
    return file.getvalue()


def cells(text, name):
    """The line after the head of that name, without its rules."""
    lines = [each.strip() for each in text.splitlines()]
    place = next(number for number, line in enumerate(lines) if line.startswith(name))
    return re.split(r" {2,}", lines[place + 2])


def test_rates_follow_from_two_looks():
    assert cells(text_of(status_page(NOW, BEFORE)), "source ")[1:6] == ["10", "0", "300", "5.0", "100"]
    assert cells(text_of(status_page(BEFORE)), "source ")[1:6] == ["-", "-", "100", "-", "0"]


def test_the_page_says_what_is_away_what_is_waited_for_and_why_letters_are_dead():
    shown = text_of(status_page(NOW, BEFORE))
    assert "! Redis: Connection refused" in shown
    assert "~ host online: waiting for Kafka since 2027-01-15 07:59:51, 9.0 s (no answer)" in shown
    assert cells(shown, "dead letters ") == ["12", "readings", "out of bounds N to N: N - at $.celsius"]
    assert "1 live, 1 behind (50 %, 12 s left), 1 absent" in shown


def test_the_page_says_what_has_no_score_yet():
    shown = text_of(status_page(replace(NOW, scores=[ScoresStatus("breakdown", "breakdown_scores", 1_200)])))
    assert cells(shown, "scores of view ") == ["breakdown", "breakdown_scores", "1,200"]
    assert "scores" not in text_of(status_page(NOW))


def test_what_is_away_stands_by_itself():
    """It stood right below the parts of the stack."""
    lines = text_of(status_page(NOW, BEFORE)).splitlines()
    assert lines[:2] == ["", "! Redis: Connection refused"]


def test_colours_tell_a_lag_that_stands_still_from_one_that_is_worked_off():
    red, yellow, green = "\x1b[1;31m", "\x1b[33m", "\x1b[32m"
    shown = text_of(status_page(NOW, BEFORE), colours=True)
    assert re.search(re.escape(red) + " *300", shown), "online has stored nothing since the last look"
    assert re.search(re.escape(green) + " *100", shown), "the archive is seconds behind"
    worked_off = replace(NOW, sources=[replace(NOW.sources[0], partitions=partitions(1_000, 950, 999))])
    assert re.search(re.escape(yellow) + " *49", text_of(status_page(worked_off, BEFORE), colours=True))


def test_history_is_days_old():
    old = replace(NOW, sources=[replace(NOW.sources[0], watermark_us=NOW_US - 521 * 86_400_000_000)])
    assert "521 d ago" in text_of(status_page(old))


def test_without_colours_nothing_is_lost():
    assert "\x1b[3" not in text_of(status_page(NOW, BEFORE), colours=True, environment={"NO_COLOR": "1"})


GREAT = replace(
    NOW,
    sources=[
        replace(
            NOW.sources[0], source="card_transactions", partitions=partitions(12_345_678, 2_345_678, 11_345_678),
            events=11_345_677, late=1_234_567, duplicates=345_678,
        ),
        replace(NOW.sources[0], source="outcomes"),
    ],
    groups=[
        replace(NOW.groups[0], lag=10_000_000, cut_us={"card_transactions": NOW_US, "outcomes": NOW_US},
                feature_rows={"card_transactions": 11_345_001, "outcomes": 7}),
    ],
)  # fmt: skip
HEADS = ("arriving/s", "online/s", "archive/s", "archived", "late", "duplicates", "stored up to", "shards", "freshness",
         "last commit", "feature rows", "complete up to", "reason")  # fmt: skip
NUMBERS = ("10,000,000", "999,999", "11,345,677", "1,234,567", "345,678", "11,345,001", "card_transactions")


@pytest.mark.parametrize("width", [60, 80, 120])
def test_nothing_is_wider_than_the_terminal_and_nothing_is_cut_off(width):
    shown = text_of(status_page(GREAT, BEFORE), width=width)
    assert max(map(len, shown.splitlines())) <= width
    assert "\u2026" not in shown
    assert [each for each in (*HEADS, *NUMBERS) if each not in shown] == []


def test_a_narrow_page_has_rates_and_counts_in_two_tables_that_both_name_the_source():
    lines = [each.split() for each in text_of(status_page(NOW, BEFORE), width=80).splitlines()]
    heads = [line for line in lines if line[:1] == ["source"]]
    assert [line[1] for line in heads] == ["arriving/s", "archived"]
    assert [line[1] for line in lines if line[:1] == ["readings"]] == ["10", "1,090"]


def test_each_part_of_a_narrow_table_of_groups_says_on_which_source_its_rows_are():
    """Two rows of one group said nothing but "complete up to"."""
    lines = [each.split() for each in text_of(status_page(GREAT, BEFORE), width=60).splitlines()]
    assert ["group", "on", "complete", "up", "to"] in lines
    assert [each[:2] for each in lines if each[-1:] == ["ago"] and each[0] == "machine_heat:v3"] == [
        ["machine_heat:v3", "card_transactions"],
        ["machine_heat:v3", "outcomes"],
    ]


def test_a_name_that_takes_half_a_terminal_is_cut_and_the_numbers_are_not():
    named = replace(NOW, sources=[replace(NOW.sources[0], source="s" * 70, events=11_345_677)])
    shown = text_of(status_page(named, BEFORE), width=60)
    assert max(map(len, shown.splitlines())) <= 60
    assert "s\u2026" in shown
    assert "11,345,677" in shown


def test_pages_remember_the_look_before():
    looks = iter([BEFORE, NOW])
    pages = StatusPages(lambda: next(looks))
    pages.next()
    at_us, page = pages.next()
    assert at_us == NOW_US
    assert text_of(page) == text_of(status_page(NOW, BEFORE))
