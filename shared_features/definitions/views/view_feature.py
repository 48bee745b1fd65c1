"""A column of a feature view: its name, its inputs, and the function of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared_features.definitions.groups.category import Category, category_fault, category_field
from shared_features.definitions.groups.feature_group import Feature, FeatureGroup
from shared_features.definitions.sources.event_source import EventSource
from shared_features.errors import DefinitionError

OnDemand = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Input:
    """Where one value comes from: a field of the request, a stored feature, or the instant of the request.

    is_text: whether it is a text, which an on-demand function sees as `kernel.texts.Texts`.
    """

    field: str | None = None
    feature: Feature | None = None
    is_text: bool = False


@dataclass(frozen=True, slots=True)
class ViewFeature:
    """One column of the feature matrix. `function` is None where the single input is passed through.

    category: how its values are known to a model, where they are names; None where they are quantities.
    reads_texts: whether an input is a text.
    """

    name: str
    inputs: tuple[Input, ...]
    function: OnDemand | None = None
    category: Category | None = None
    reads_texts: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "reads_texts", any(each.is_text for each in self.inputs))

    def check_number(self, where: str, source: EventSource) -> None:
        """Whether a column that is passed through is a number: a model can make nothing of the code of a text."""
        if self.function is not None:
            return
        (given,) = self.inputs
        if self.category is not None:
            if fault := category_fault(category_field(source, given.field, given.feature)):
                raise DefinitionError(f"{where}: category {self.name!r} {fault}")
            return
        if given.field is not None and source.field(given.field).is_text:
            raise DefinitionError(
                f"{where}: feature {self.name!r} is a text field of {source.name!r}, and a model takes numbers. "
                f"Write Category({self.name!r}), so that it takes the text as a category, or an on-demand function "
                "that takes the text and returns a number"
            )
        if given.feature is not None and given.feature.is_text:
            raise DefinitionError(
                f"{where}: feature {self.name!r} is a text, kept as a code, and a model takes numbers. "
                f"Drop it from features, and write Category of it in its place; or name group "
                f"{given.feature.group.name!r} in also_reads, and write an on-demand function that takes it"
            )


@dataclass(frozen=True, slots=True)
class StoredRun:
    """Columns `first` to `stop` (exclusive) of the matrix are features `start` and on of a group, side by side."""

    first: int
    stop: int
    group: FeatureGroup
    start: int


def stored_runs_of(columns: Sequence[ViewFeature]) -> tuple[StoredRun, ...]:
    """The stored features that are passed through, in the longest runs that can be copied as a block."""
    runs: list[StoredRun] = []
    for index, column in enumerate(columns):
        passed = column.function is None and column.category is None
        feature = column.inputs[0].feature if passed else None
        if feature is None:
            continue
        last = runs[-1] if runs else None
        joins = last is not None and last.group == feature.group and last.start - last.first == feature.index - index
        if last is not None and joins and last.stop == index:
            runs[-1] = StoredRun(last.first, index + 1, last.group, last.start)
        else:
            runs.append(StoredRun(index, index + 1, feature.group, feature.index))
    return tuple(runs)
