from __future__ import annotations

import re

from training.bar_chart import bar_chart


def test_the_longest_bar_has_the_whole_width_and_what_is_not_above_zero_has_none() -> None:
    drawn = bar_chart("Importance", "roc_auc", {"<celsius>": 0.4, "humidity": 0.1, "firmware": -0.2})
    widths = [float(each) for each in re.findall(r'width="([\d.]+)"', drawn)]
    assert widths == [304.0, 76.0, 0.0]
    assert "&lt;celsius&gt;" in drawn
    assert ">-0.2</text>" in drawn
    assert 'viewBox="0 0 360 102"' in drawn


def test_nothing_and_zeros_only_are_drawn_without_an_error() -> None:
    assert bar_chart("Importance", "roc_auc", {}) == ""
    assert 'width="0.0"' in bar_chart("Importance", "roc_auc", {"a": 0.0})
    assert 'width="0.0"' in bar_chart("Importance", "roc_auc", {"a": -1.0})
