"""Times and numbers that are not read as such are named with what to write instead."""

import pytest

from deploy.project.columns.written_otherwise import number_advice, time_advice, time_format, writes_commas


@pytest.mark.parametrize(
    ("texts", "form"),
    [
        (["31/12/2026"], "%d/%m/%Y"),
        (["12/31/2026 08:15"], "%m/%d/%Y %H:%M"),
        (["31.12.2026 08:15:00", "01.02.2026 00:00:00"], "%d.%m.%Y %H:%M:%S"),
        (["01/Mar/2026:10:00:00 +0000"], "%d/%b/%Y:%H:%M:%S %z"),
        (["2026-03-01 10:00:00 UTC"], "%Y-%m-%d %H:%M:%S %Z"),
        (["Mar 1, 2026 10:00 PM"], "%b %d, %Y %I:%M %p"),
        (["31/12/2026", "12/31/2026"], None),
        (["a"], None),
        ([], None),
    ],
)
def test_the_format_is_the_one_that_all_texts_have(texts, form):
    assert time_format(texts) == form


def test_where_day_and_month_may_be_either_it_is_said():
    assert "Or is the month first?" in time_advice("day", ["01/02/2026"])
    assert "Or is the month first?" not in time_advice("day", ["01/02/2026", "13/02/2026"])


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["12 %", "5 %"], "Write 12, and make the field a Decimal"),
        (["$1,234.50"], "Write 1234.50"),
        (["1,234", "12,345"], "If the comma separates thousands, write 1234; if it is a decimal comma"),
        (["12.5"], ""),
        (["A-1"], ""),
        ([], ""),
    ],
)
def test_numbers_with_units_or_separators_are_named(texts, said):
    assert said in number_advice(texts)
    assert bool(said) == bool(number_advice(texts))


def test_a_decimal_comma_is_one_only_where_it_can_be_nothing_else():
    assert writes_commas(["1.234,50", "7", None, ""])
    assert not writes_commas(["1,234", "7"])
    assert not writes_commas([12.5, "1,5"])
