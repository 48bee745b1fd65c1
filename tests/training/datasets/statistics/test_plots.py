import re

from shared_features.formats.dataset_statistics import WindowStatistics
from training.datasets.statistics.plots import bars, box

TRAIN = WindowStatistics(10, 2, 0, (6, 2), quantiles=(0.0, 1.0, 2.0, 5.0, 6.0, 9.0, 10.0))
TEST = WindowStatistics(10, 0, 0, (2, 8), quantiles=(0.0, 1.0, 2.0, 10.0, 10.0, 10.0, 10.0))


def test_a_box_stands_where_the_quantiles_are() -> None:
    plot = box({"train": TRAIN})
    line, middle, median = re.findall(r'x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', plot)
    assert (float(line[0]), float(line[1])) == (0, 220)
    assert (float(middle[0]), float(middle[1])) == (44, 88)
    assert float(median[0]) + 1 == 110
    assert "train: median 5<" in plot


def test_the_height_of_a_bar_is_the_share_of_its_bin() -> None:
    plot = bars({"train": TRAIN, "test": TEST}, ["low", "high"])
    heights = [float(each) for each in re.findall(r'height="([\d.]+)" opacity', plot)]
    assert heights == [33.0, 11.0, 11.0, 11.0, 44.0, 0.0]
    assert "test, high: 80.0%" in plot
    assert "train, missing: 20.0%" in plot


def test_nothing_to_show_is_no_plot() -> None:
    assert box({"all": WindowStatistics(0, 0, 0, ())}) == ""
    assert bars({"all": WindowStatistics(0, 0, 0, (0,))}, ["all"]) == ""
