"""What may be expected of the dataset of a view."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shared_features.arguments import did_you_mean
from shared_features.definitions import Copies, Expect, FeatureView, Rows
from shared_features.definitions.expectations.expectation import Expectation


def expectation_faults(expectations: Sequence[Expectation], view: FeatureView) -> Iterator[str]:
    """What is expected of a view's features and cannot be, and what to do."""
    features, categories = [each.name for each in view.columns], {each.name for _, each in view.categories}
    for each in expectations:
        if isinstance(each, Rows | Copies) and each.every is not None:
            yield f"expectations: {type(each).__name__} has every, and a dataset is counted whole; leave every out"
        if not isinstance(each, Expect):
            continue
        name = each.column
        if name not in features:
            yield (
                f"expectations names {name!r}, which view {view.label} does not have; write a feature of the view."
                f"{did_you_mean(name, features)}"
            )
        elif name in categories and each.has_range:
            yield f"expectations: {name} is a category and has no range; write Expect({name!r}, values=(...))"
        elif name not in categories and any(isinstance(value, str) for value in each.values):
            yield f"expectations: {name} is a number, and its values are texts; write numbers"
