"""Times and numbers that are written in a way that is not read, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from streaming.operations.produce.rows.wire_values import has_decimal_comma, instant_us

_LOOKED_AT = 500
_DAYS = ("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d", "%d/%m/%y", "%m/%d/%y",
         "%d.%m.%y", "%d %b %Y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y")  # fmt: skip
_HOURS = ("", " %H:%M:%S", " %H:%M", ", %H:%M:%S", ", %H:%M", " %H:%M:%S.%f", " %I:%M:%S %p", " %I:%M %p", "T%H:%M:%S")
_FORMATS = (
    *(day + hour for day in _DAYS for hour in _HOURS), "%d/%b/%Y:%H:%M:%S %z", "%Y-%m-%d %H:%M:%S %Z",
    "%a, %d %b %Y %H:%M:%S %z", "%a, %d %b %Y %H:%M:%S %Z", "%a %b %d %H:%M:%S %Y",
)  # fmt: skip
_AROUND = re.compile(r"[\s€$£%']|(?<=\d),(?=\d{3})|(?:EUR|USD|GBP|kg|km|ms|°C|°F)$")
_PLAIN = re.compile(r"[+-]?\d+(\.\d+)?")
_WHOLE = re.compile(r"[+-]?\d+")
_COMMAS = re.compile(r"[+-]?\d{1,3}(,\d{3})+")


def time_format(texts: Sequence[str]) -> str | None:
    """The format of `datetime.strptime` in which all of the first texts are times.

    >>> time_format(["31/12/2026 08:15", "01/02/2026 00:00"]), time_format(["12/31/2026"]), time_format(["a"])
    ('%d/%m/%Y %H:%M', '%m/%d/%Y', None)
    """
    looked_at = texts[:_LOOKED_AT]
    return next((each for each in _FORMATS if looked_at and all(_fits(text, each) for text in looked_at)), None)


def time_advice(name: str, texts: Sequence[str]) -> str:
    """What to write in place of such times; empty where the texts are something else.

    >>> time_advice("date", ["31/12/2026"])[:65]
    "date is written as '31/12/2026'. Write '2026-12-31T00:00:00': in "
    """
    found = time_format(texts)
    if found is None:
        return ""
    unsure = ". Or is the month first? The first rows do not say" if _is_either(texts, found) else ""
    return (
        f"{name} is written as {texts[0]!r}. Write {_iso(texts[0], found)!r}: in Python "
        f"datetime.strptime(text, {found!r}).isoformat(), in polars pl.col({name!r}).str.to_datetime({found!r}){unsure}"
    )


def number_advice(texts: Sequence[str]) -> str:
    """What to write in place of numbers with units or separators; empty where the texts are something else.

    >>> number_advice(["€ 12.50", "€ 1,234.00"])
    "They look like numbers, such as '€ 12.50'. Write 12.50, and make the field a Decimal"
    """
    looked_at = texts[:_LOOKED_AT]
    plain = [_AROUND.sub("", each) for each in looked_at]
    if not looked_at or not all(map(_PLAIN.fullmatch, plain)) or plain == [each.strip() for each in looked_at]:
        return ""
    if all(map(_COMMAS.fullmatch, looked_at)):
        return (
            f"They look like numbers, such as {looked_at[0]!r}. If the comma separates thousands, write {plain[0]}; if "
            "it is a decimal comma, make the field a Decimal and give `produce` --decimal-comma"
        )
    return f"They look like numbers, such as {looked_at[0]!r}. Write {plain[0]}, and make the field a Decimal"


def writes_commas(values: Sequence[Any]) -> bool:
    """Whether a column can only be numbers with a decimal comma: 12,5 is one, and 1,234 may be a thousand.

    >>> writes_commas(["12,5", "3", None]), writes_commas(["1,234"]), writes_commas(["12,5", "1.5", "a"])
    (True, False, False)
    """
    there = [each.strip() for each in values if isinstance(each, str) and each.strip()]
    if len(there) < sum(each not in (None, "") for each in values):
        return False
    commas = [each for each in there if has_decimal_comma(each)]
    whole = all(has_decimal_comma(each) or _WHOLE.fullmatch(each) for each in there)
    return whole and any(not _COMMAS.fullmatch(each) for each in commas)


def is_like_a_value(name: str) -> bool:
    """Whether the name of a column is a number or a time: then the file has no line with names.

    >>> is_like_a_value("12.5"), is_like_a_value("2026-09-01T10:00:00"), is_like_a_value("2nd item")
    (True, True, False)
    """
    return _PLAIN.fullmatch(name) is not None or instant_us(name, UTC, "us") is not None


def _fits(text: str, form: str) -> bool:
    try:
        datetime.strptime(text.strip(), form)  # noqa: DTZ007  # only whether it fits
    except ValueError:
        return False
    return True


def _is_either(texts: Sequence[str], found: str) -> bool:
    """Whether day and month could be the other way round."""
    swapped = found.replace("%d", "%#").replace("%m", "%d").replace("%#", "%m")
    return swapped in _FORMATS and swapped != found and all(_fits(text, swapped) for text in texts[:_LOOKED_AT])


def _iso(text: str, form: str) -> str:
    return datetime.strptime(text.strip(), form).isoformat()  # noqa: DTZ007  # a time without a zone stays one
