"""A feature view: the ordered features a model sees, the events its training rows are read on, its labels."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

from shared_features.definitions.event_source import EventSource
from shared_features.definitions.feature_group import Feature, FeatureGroup
from shared_features.definitions.fields import Field
from shared_features.definitions.fingerprint import fingerprint, meant_options
from shared_features.definitions.function_meaning import function_fingerprint
from shared_features.definitions.grown_group import GrownGroup
from shared_features.errors import DefinitionError

OnDemand = Callable[..., Any]
AS_OF = "as_of_us"
"""Name of the parameter by which an on-demand function asks for the instant of the request."""


@dataclass(frozen=True)
class LabelSource:
    """Where labels come from: `value` of the events of `source`, joined to the spine on the field `join`.

    `delay`: how long after the spine event its label can be known at the earliest.
    """

    source: EventSource
    value: str
    join: str
    delay: timedelta


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
    """One column of the feature matrix. `function` is None where the single input is passed through."""

    name: str
    inputs: tuple[Input, ...]
    function: OnDemand | None = None


@dataclass(frozen=True, slots=True)
class StoredRun:
    """Columns `first` to `stop` (exclusive) of the matrix are features `start` and on of a group, side by side."""

    first: int
    stop: int
    group: FeatureGroup
    start: int


@dataclass(frozen=True)
class FeatureView:
    """The ordered features of a model.

    `source`: each of its events is a training row, and its fields are what a request carries. `features`: field
    names, features, whole groups, and on-demand functions, in the order in which the model sees them.
    `also_reads`: groups whose features are only inputs of on-demand functions.
    """

    name: str
    version: int
    source: EventSource
    features: tuple[str | Feature | FeatureGroup | GrownGroup | OnDemand, ...]
    labels: LabelSource | None = None
    also_reads: tuple[FeatureGroup | GrownGroup, ...] = ()
    description: str = field(default="", kw_only=True, compare=False)

    def __post_init__(self) -> None:
        where = f"feature view {self.name!r}"
        if self.version < 1 or not self.features:
            raise DefinitionError(f"{where}: versions start at 1, and a view has at least one feature")
        for group in self.groups:
            for key in group.entity.keys:
                if not self.source.has(key):
                    raise DefinitionError(
                        f"{where}: group {group.name!r} is keyed by {key!r}, which {self.source.name!r} lacks; "
                        "read the view on a source that carries the key"
                    )
        names = [column.name for column in self.columns]
        if twice := {name for name in names if names.count(name) > 1}:
            raise DefinitionError(f"{where}: features {sorted(twice)} appear twice; drop one")
        _ = self._functions  # refused now, while the definitions are loaded, and not when somebody asks
        if self.labels is not None:
            self._check_labels(where, self.labels)

    def _check_labels(self, where: str, labels: LabelSource) -> None:
        if not labels.source.has(labels.value) or labels.source.field(labels.value).is_text:
            raise DefinitionError(f"{where}: label {labels.value!r} is not a number field of {labels.source.name!r}")
        for source in (self.source, labels.source):
            if not source.has(labels.join):
                raise DefinitionError(f"{where}: labels join on {labels.join!r}, which {source.name!r} lacks; add it")

    @cached_property
    def groups(self) -> tuple[FeatureGroup, ...]:
        """The parts of groups that this view reads, each once, in order of first use.

        An addition is among them only where the view uses it: others may be added without a change to the view.
        """
        used = {each.feature.group.label for column in self.columns for each in column.inputs if each.feature}
        return tuple(part for part in self._offered if not part.part or part.label in used)

    @cached_property
    def _offered(self) -> tuple[FeatureGroup, ...]:
        """All that inputs may name: the parts of the groups that are listed, and the part of a listed feature."""
        found: dict[str, FeatureGroup] = {}
        versions: dict[str, int] = {}
        for item in (*self.features, *self.also_reads):
            group = item.group if isinstance(item, Feature) else item
            for part in group.parts if isinstance(group, FeatureGroup | GrownGroup) else ():
                version = versions.setdefault(part.name, part.version)
                if found.setdefault(part.part_name, part) != part or version != part.version:
                    raise DefinitionError(f"feature view {self.name!r} reads two versions of {part.name!r}; keep one")
        return tuple(found.values())

    @cached_property
    def columns(self) -> tuple[ViewFeature, ...]:
        """The columns of the feature matrix, in order."""
        columns: list[ViewFeature] = []
        for item in self.features:
            if isinstance(item, FeatureGroup | GrownGroup):
                columns += [ViewFeature(each.full_name, (Input(feature=each),)) for each in item.features]
            elif isinstance(item, Feature):
                columns.append(ViewFeature(item.full_name, (Input(feature=item),)))
            elif isinstance(item, str):
                columns.append(ViewFeature(item, (self._input(item, item),)))
            else:
                name = item.__name__
                parameters = inspect.signature(item).parameters
                columns.append(ViewFeature(name, tuple(self._input(each, name) for each in parameters), item))
        return tuple(columns)

    @cached_property
    def _functions(self) -> dict[str, str]:
        """The fingerprint of each on-demand function."""
        functions = {column.name: column.function for column in self.columns if column.function is not None}
        return {name: function_fingerprint(function) for name, function in functions.items()}

    @cached_property
    def stored_runs(self) -> tuple[StoredRun, ...]:
        """The stored features that are passed through, in the longest runs that can be copied as a block."""
        runs: list[StoredRun] = []
        for index, column in enumerate(self.columns):
            feature = column.inputs[0].feature if column.function is None else None
            if feature is None:
                continue
            last = runs[-1] if runs else None
            joins = (
                last is not None and last.group == feature.group and last.start - last.first == feature.index - index
            )
            if last is not None and joins and last.stop == index:
                runs[-1] = StoredRun(last.first, index + 1, last.group, last.start)
            else:
                runs.append(StoredRun(index, index + 1, feature.group, feature.index))
        return tuple(runs)

    @cached_property
    def computed(self) -> tuple[tuple[int, ViewFeature], ...]:
        """The columns that are not a stored feature as it is, with their places."""
        stored = {index for run in self.stored_runs for index in range(run.first, run.stop)}
        return tuple((index, column) for index, column in enumerate(self.columns) if index not in stored)

    def _input(self, name: str, asked_by: str) -> Input:
        if name == AS_OF:
            return Input()
        if self.source.has(name):
            return Input(field=name, is_text=self.source.field(name).is_text)
        stored = [each for group in self._offered for each in group.features]
        found = [each for each in stored if name in (each.full_name, each.name)]
        if len(found) == 1:
            return Input(feature=found[0], is_text=found[0].is_text)
        choices = [each.full_name for each in found] or [each.full_name for each in stored]
        problem = "is ambiguous: write one of" if found else f"is neither a field of {self.source.name!r} nor one of"
        raise DefinitionError(f"feature view {self.name!r}: input {name!r} of {asked_by!r} {problem} {choices}")

    @property
    def label(self) -> str:
        return f"{self.name}:v{self.version}"

    @cached_property
    def request_fields(self) -> tuple[Field, ...]:
        """The fields a request must carry: entity keys and what features take from the request itself."""
        needed = {key for group in self.groups for key in group.entity.keys}
        needed |= {each.field for column in self.columns for each in column.inputs if each.field is not None}
        return tuple(field for field in self.source.fields if field.name in needed)

    @property
    def meaning(self) -> dict[str, Any]:
        """All that a row of the matrix and its label follow from, by name; what has its default is left out.

        What `features` and `also_reads` list stands resolved: names of columns, groups, functions.
        """
        options = {name: value for name, value in meant_options(self).items() if name != "also_reads"}
        return {
            **options,
            "features": [column.name for column in self.columns],
            "groups": {group.part_name: group.meaning for group in self.groups},
            "functions": self._functions,
        }

    @cached_property
    def fingerprint(self) -> str:
        """16 hex digits that change when the meaning of a row of the matrix or of its label changes."""
        return fingerprint(self.meaning)
