"""The page is well-formed, shows each column, and takes nothing from elsewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import polars as pl

from tests.training.datasets.statistics.test_table_statistics import FEATURES, TABLE
from training.datasets.statistics.page import statistics_page
from training.datasets.statistics.table_statistics import table_statistics

PAGE = statistics_page(table_statistics(TABLE, FEATURES, view="v:v1", digest="ab", label="label", window="window"))
_ALONE = {"meta", "br"}


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.bars = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.bars += tag == "rect"
        if tag not in _ALONE:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    return reader


def test_each_column_has_a_line_with_its_plots() -> None:
    reader = read(PAGE)
    assert {"label", *FEATURES} <= set(reader.texts)
    assert "train 2,000" in reader.texts
    assert reader.bars > 2 * len(FEATURES)
    assert "train, 0: " in PAGE, "a bar of a class says its share"


def test_drift_that_is_much_is_marked() -> None:
    marked = re.findall(r'<tr><td>(\w+)</td>(?:(?!</tr>).)*class="much">', PAGE)
    assert marked == ["moved", "endless"]


def test_it_needs_no_script_and_nothing_from_elsewhere() -> None:
    assert not re.search(r"<script|src=|href=|url\(|http", PAGE)


def test_names_of_columns_are_text_and_not_html() -> None:
    odd = pl.DataFrame({"a<b>&": [1.0, 2.0], "t": ["<i>", "x"]})
    page = statistics_page(table_statistics(odd, odd.columns, view="<v>", digest=""))
    assert "a<b>&" in read(page).texts
    assert "<i>" not in page


def test_an_empty_table_has_a_page() -> None:
    read(statistics_page(table_statistics(TABLE[:0], FEATURES, view="v", digest="", label="label")))
