"""The Handbook's features, test set and metric in plain pandas: another way to the same numbers.

Nothing of Millrace is used. A window is right-closed and left-open, and ends at the row itself: of rows with one time
it holds those that stand before, in the order of the file.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

DAYS, DELAY_DAYS = (1, 7, 30), 7
DAY_S = 86_400


def features(frame: pd.DataFrame) -> pd.DataFrame:
    """frame: customer, terminal, time (datetime64), amount, fraud, in order of time. Fifteen columns, row by row."""
    found = pd.DataFrame(index=frame.index)
    found["amount"] = frame["amount"]
    found["is_weekend"] = (frame["time"].dt.day_of_week >= 5).astype(float)
    found["is_early"] = (frame["time"].dt.hour <= 6).astype(float)
    for n in DAYS:
        found[f"count_{n}d"] = _rolling(frame, "customer", "amount", f"{n}D", "count")
        found[f"mean_{n}d"] = _rolling(frame, "customer", "amount", f"{n}D", "sum") / found[f"count_{n}d"]
    recent = {how: _rolling(frame, "terminal", "fraud", f"{DELAY_DAYS}D", how) for how in ("count", "sum")}
    for n in DAYS:
        whole = {how: _rolling(frame, "terminal", "fraud", f"{DELAY_DAYS + n}D", how) for how in ("count", "sum")}
        count, frauds = whole["count"] - recent["count"], whole["sum"] - recent["sum"]
        found[f"terminal_count_{n}d"] = count
        found[f"risk_{n}d"] = np.divide(frauds, count, out=np.zeros(len(frame)), where=count > 0)
    names = [f"{what}_{n}d" for n in DAYS for what in ("count", "mean")]
    terminal = [f"terminal_count_{n}d" for n in DAYS] + [f"risk_{n}d" for n in DAYS]
    return found[["amount", "is_weekend", "is_early", *names, *terminal]]


def _rolling(frame: pd.DataFrame, by: str, column: str, window: str, how: str) -> NDArray[np.float64]:
    """Of each row in the order of the frame."""
    order = np.argsort(frame[by].to_numpy(), kind="stable")
    by_entity = frame.iloc[order]
    rolled = by_entity.set_index("time").groupby(by, sort=True)[column].rolling(window)
    values = np.empty(len(frame))
    values[order] = getattr(rolled, how)().to_numpy()
    return values


def neighbours(frame: pd.DataFrame, by: str, seconds: int) -> NDArray[np.bool_]:
    """Whether another row of the same entity lies exactly so many seconds before each row (0: at the same second)."""
    key = frame[by].to_numpy(np.int64) * (1 << 34) + frame["second"].to_numpy(np.int64)
    known, times = np.unique(key, return_counts=True)
    at = np.searchsorted(known, key - seconds).clip(max=len(known) - 1)
    there: NDArray[np.bool_] = known[at] == key - seconds
    if seconds == 0:
        there &= times[at] > 1
    return there


def test_rows(frame: pd.DataFrame, train_from: pd.Timestamp) -> tuple[pd.Series[bool], pd.Series[bool]]:
    """Which rows are of the training week, and which of the test week.

    A customer of whom a fraud is known on the day of the test is not in the test on that day.
    """
    train_to = train_from + pd.Timedelta(days=7)
    train = (frame["time"] >= train_from) & (frame["time"] < train_to)
    test = pd.Series(data=False, index=frame.index)
    known = set(frame.loc[train & (frame["fraud"] == 1), "customer"])
    for day in range(7):
        today = train_to + pd.Timedelta(days=DELAY_DAYS + day)
        reported = today - pd.Timedelta(days=DELAY_DAYS + 1)
        learned = (frame["time"] >= reported) & (frame["time"] < reported + pd.Timedelta(days=1))
        known |= set(frame.loc[learned & (frame["fraud"] == 1), "customer"])
        of_today = (frame["time"] >= today) & (frame["time"] < today + pd.Timedelta(days=1))
        test |= of_today & ~frame["customer"].isin(known)
    return train, test


def card_precision(frame: pd.DataFrame, score: NDArray[Any], k: int = 100) -> float:
    """The mean over the days of the share of compromised customers among the k most suspicious of a day."""
    told = frame.assign(score=score, day=frame["time"].dt.floor("D"))
    detected: set[int] = set()
    shares = []
    for _, today in told.groupby("day", sort=True):
        per_customer = today.groupby("customer")[["score", "fraud"]].max()
        per_customer = per_customer[~per_customer.index.isin(detected)]
        best = per_customer.sort_values("score", ascending=False, kind="stable").head(k)
        shares.append(best["fraud"].sum() / k)
        detected |= set(best.index[best["fraud"] == 1])
    return float(np.mean(shares))
