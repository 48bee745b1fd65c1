"""A feature view: the ordered features a model sees, the events its training rows are read on, its labels."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

from shared_features.arguments import Checked
from shared_features.definitions.fields import Field
from shared_features.definitions.fingerprints import fingerprint, meant_options
from shared_features.definitions.functions.function_inputs import function_inputs
from shared_features.definitions.functions.function_meaning import function_fingerprint
from shared_features.definitions.groups.category import Category
from shared_features.definitions.groups.feature_group import Feature, FeatureGroup
from shared_features.definitions.groups.grown_group import GrownGroup
from shared_features.definitions.sources.event_source import EventSource
from shared_features.definitions.sources.label_source import LabelSource
from shared_features.definitions.views.group_keys import check_group_keys
from shared_features.definitions.views.label_sources import check_label_sources, listed_sources
from shared_features.definitions.views.named_inputs import NamedInputs
from shared_features.definitions.views.view_feature import Input, OnDemand, StoredRun, ViewFeature, stored_runs_of
from shared_features.errors import DefinitionError

_NAME = re.compile(r"\w[\w.-]*")


@dataclass(frozen=True)
class FeatureView(metaclass=Checked):
    """The ordered features of a model.

    `source`: each of its events is a training row, and its fields are what a request carries. `features`: field
    names, features, whole groups, categories, and on-demand functions, in the order in which the model sees them.
    `also_reads`: groups whose features are only inputs of on-demand functions. `labels`: of several sources the first
    that has a label of an event gives it.
    """

    name: str
    version: int
    source: EventSource
    features: tuple[str | Feature | FeatureGroup | GrownGroup | Category | OnDemand, ...]
    labels: LabelSource | tuple[LabelSource, ...] | None = None
    also_reads: tuple[FeatureGroup | GrownGroup, ...] = ()
    description: str = field(default="", kw_only=True, compare=False)

    def __post_init__(self) -> None:
        where = f"feature view {self.name!r}"
        if not _NAME.fullmatch(self.name):
            raise DefinitionError(f"{where}: a name has letters, digits, underscores, dots and hyphens; rename it")
        if self.version < 1 or not self.features:
            raise DefinitionError(f"{where}: versions start at 1, and a view has at least one feature")
        for group in self.groups:
            check_group_keys(where, group, self.source)
        names = [column.name for column in self.columns]
        if twice := {name for name in names if names.count(name) > 1}:
            raise DefinitionError(f"{where}: features {sorted(twice)} appear twice; drop one")
        for column in self.columns:
            column.check_number(where, self.source)
        try:
            _ = self._functions  # refused now, while the definitions are loaded, and not when somebody asks
        except DefinitionError as error:
            raise DefinitionError(f"{where}: {error}") from None
        if self.labels == ():
            raise DefinitionError(f"{where}: labels are of no source; give a LabelSource, or leave labels out")
        if len(self.label_sources) == 1:  # of one source, however it is written, so that its meaning is one
            object.__setattr__(self, "labels", self.label_sources[0])
        check_label_sources(where, self.label_sources, self.source)

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
        for given in (*self.features, *self.also_reads):
            item = given.feature if isinstance(given, Category) else given
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
        for place, item in enumerate(self.features):
            if isinstance(item, FeatureGroup | GrownGroup):
                columns += [ViewFeature(each.full_name, (Input(feature=each),)) for each in item.features]
            elif isinstance(item, Feature):
                columns.append(ViewFeature(item.full_name, (Input(feature=item),)))
            elif isinstance(item, Category):
                columns.append(self._category(item))
            elif isinstance(item, str):
                columns.append(ViewFeature(item, (self._named.input(item, item),)))
            else:
                name, parameters = function_inputs(item, f"feature view {self.name!r}: features[{place}]")
                columns.append(ViewFeature(name, tuple(self._named.input(each, name) for each in parameters), item))
        return tuple(columns)

    def _category(self, item: Category) -> ViewFeature:
        if isinstance(item.feature, str):
            given = self._named.input(item.feature, item.feature)
            return ViewFeature(item.feature if given.feature is None else given.feature.full_name, (given,), None, item)
        given = Input(feature=item.feature, is_text=item.feature.is_text)
        return ViewFeature(item.feature.full_name, (given,), None, item)

    @cached_property
    def categories(self) -> tuple[tuple[int, ViewFeature], ...]:
        """The columns that are categories, with their places."""
        return tuple((at, each) for at, each in enumerate(self.columns) if each.category is not None)

    @cached_property
    def _functions(self) -> dict[str, str]:
        """The fingerprint of each on-demand function."""
        functions = {column.name: column.function for column in self.columns if column.function is not None}
        return {name: function_fingerprint(function) for name, function in functions.items()}

    @cached_property
    def stored_runs(self) -> tuple[StoredRun, ...]:
        """The stored features that are passed through, in the longest runs that can be copied as a block."""
        return stored_runs_of(self.columns)

    @cached_property
    def computed(self) -> tuple[tuple[int, ViewFeature], ...]:
        """The columns that are not a stored feature as it is, with their places."""
        stored = {index for run in self.stored_runs for index in range(run.first, run.stop)}
        return tuple((index, column) for index, column in enumerate(self.columns) if index not in stored)

    @cached_property
    def _named(self) -> NamedInputs:
        return NamedInputs(self.name, self.source, [each for group in self._offered for each in group.features])

    @property
    def label_sources(self) -> tuple[LabelSource, ...]:
        """Where its labels come from, in order of precedence; empty of a view without labels."""
        return listed_sources(self.labels)

    @property
    def predicted(self) -> LabelSource | None:
        """What a model predicts: the first source of its labels, whose task and classes all have."""
        return next(iter(self.label_sources), None)

    @property
    def label_delay(self) -> timedelta:
        """How long after an event each of its labels can be known at the earliest."""
        return max((each.delay for each in self.label_sources), default=timedelta(0))

    @cached_property
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
        categories = {each.name: each.category.at_most for _, each in self.categories if each.category is not None}
        return {
            **options,
            "features": [column.name for column in self.columns],
            "groups": {group.part_name: group.meaning for group in self.groups},
            "functions": self._functions,
            **({"categories": categories} if categories else {}),
        }

    @cached_property
    def fingerprint(self) -> str:
        """16 hex digits that change when the meaning of a row of the matrix or of its label changes."""
        return fingerprint(self.meaning)
