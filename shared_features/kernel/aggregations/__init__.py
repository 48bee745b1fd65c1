"""All aggregations, one class each.

A new aggregation is a class in one of these modules: its registers, and the function that makes a value of them. It is
re-exported here, so that whatever walks the subclasses of `Aggregation` finds it. A new kind of register is a row of
the table in `shared_features/kernel/loops/registers.py`.
"""

from shared_features.kernel.aggregations.aggregation import Aggregation, Hashes, Words
from shared_features.kernel.aggregations.counts_and_sums import Count, Mean, Std, Sum
from shared_features.kernel.aggregations.extremes import Max, Min
from shared_features.kernel.aggregations.first_and_last import First, Last, TimeSinceLast
from shared_features.kernel.aggregations.sets import ApproxDistinct

__all__ = [
    "Aggregation",
    "ApproxDistinct",
    "Count",
    "First",
    "Hashes",
    "Last",
    "Max",
    "Mean",
    "Min",
    "Std",
    "Sum",
    "TimeSinceLast",
    "Words",
]
