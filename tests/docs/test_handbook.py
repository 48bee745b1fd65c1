"""The page that is checked against a book: its blocks are the code that runs, and what it says of cells holds."""

from __future__ import annotations

import inspect

import numpy as np
import pandas as pd
import pytest

from deploy.demo.traffic.cards.handbook import simulate
from deploy.demo.traffic.cards.transactions import Transactions, read_transactions
from tests.bench import handbook, handbook_by_pandas
from tests.bench.__main__ import SUITES
from tests.bench.small_model import view_matrix
from tests.bench.transactions import START_US, default_file
from tests.docs.pages import page
from tests.domains import handbook as definitions

PAGE = page("docs/handbook.md")


def test_the_blocks_of_the_page_are_the_code_that_runs() -> None:
    source = inspect.getsource(definitions)
    blocks = list(PAGE.blocks())
    assert {each.language for each in blocks} == {"python", "sh"}
    assert all(each.code.strip() in source for each in blocks if each.language == "python")
    assert "handbook" in SUITES


def few() -> Transactions:
    """Few enough customers that some pay twice in a second, and exactly a week apart: times are of whole minutes."""
    rows = simulate(customers=40, terminals=80, days=45, start_us=START_US, seed=3).transactions
    return Transactions(
        rows.transaction_id,
        rows.event_time_us // 60_000_000 * 60_000_000,
        rows.customer_id,
        rows.terminal_id,
        rows.amount_cents,
        rows.is_fraud,
    )


def test_every_cell_is_equal_or_has_a_cause() -> None:
    rows = few()
    frame = handbook.frame_of(rows)
    ours, theirs = view_matrix(definitions.HANDBOOK, rows), handbook_by_pandas.features(frame)
    found = {each.name: each.value for each in handbook.cells(frame, ours, theirs)}
    assert found.pop("cells of the Handbook's 15 features") == ours.size == sum(found.values())
    assert all(found.values()), "each cause occurs"


def test_a_cell_that_differs_without_a_cause_is_told() -> None:
    rows = few()
    frame = handbook.frame_of(rows)
    ours, theirs = view_matrix(definitions.HANDBOOK, rows), handbook_by_pandas.features(frame)
    ours[0, 3] += 1
    with pytest.raises(ValueError, match="Cells differ without a cause: count_1d of row 0"):
        handbook.cells(frame, ours, theirs)


def test_the_windows_of_pandas_are_those_of_a_loop() -> None:
    """The other side is checked, too: each window is summed by hand."""
    rows = few().take(slice(0, 400))
    frame = handbook.frame_of(rows)
    theirs = handbook_by_pandas.features(frame)
    second, terminal = frame["second"].to_numpy(), frame["terminal"].to_numpy()
    for row in range(0, 400, 7):
        age = second[row] - second
        of_customer = (frame["customer"] == frame["customer"][row]) & (frame.index <= row)
        assert theirs["count_7d"][row] == (of_customer & (age < 7 * 86_400)).sum()
        known = (terminal == terminal[row]) & (age >= 7 * 86_400) & (age < 8 * 86_400)
        assert theirs["terminal_count_1d"][row] == known.sum()


@pytest.mark.deep
@pytest.mark.skipif(default_file() is None, reason="the Handbook's file does not lie beside the checkout")
def test_the_models_of_the_book_are_as_good_as_it_prints() -> None:
    file = default_file()
    assert file is not None
    rows = read_transactions(file)
    frame = handbook.frame_of(rows)
    ours, theirs = view_matrix(definitions.HANDBOOK, rows), handbook_by_pandas.features(frame)
    found = {each.name: each for each in handbook.metrics(frame, rows, ours, theirs)}
    for model in ("logistic regression", "tree of depth 2"):
        values = [found[f"{model}: {metric}"] for metric in handbook.METRICS]
        np.testing.assert_allclose([each.value for each in values], handbook.PUBLISHED[model], atol=0.002)
        np.testing.assert_allclose([each.value for each in values], [each.baseline or 0 for each in values], atol=1e-3)


def test_who_is_known_is_not_in_the_test() -> None:
    day = pd.Timedelta(days=1)
    start = pd.Timestamp("2018-07-25")
    told = [(1, 0, 1), (1, 14, 0), (2, 7, 1), (2, 14, 0), (2, 15, 0), (3, 14, 0), (4, 21, 0)]
    frame = pd.DataFrame(
        {"customer": customer, "time": start + days * day, "fraud": fraud} for customer, days, fraud in told
    )
    train, test = handbook_by_pandas.test_rows(frame, start)
    assert frame[train]["customer"].tolist() == [1]
    assert [(row.customer, (row.time - start).days) for row in frame[test].itertuples()] == [(2, 14), (3, 14)]
