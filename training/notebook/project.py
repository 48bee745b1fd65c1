"""A project as a notebook reads it: views, datasets, features, models and runs."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

import polars as pl

from shared_features.arguments import did_you_mean
from shared_features.definitions import Catalogue, FeatureView, check_functions, load_definitions
from training.datasets.exports.dataset_table import DatasetTable, read_directory
from training.datasets.exports.rebuilding import rebuild
from training.datasets.given_spine import check_spine
from training.datasets.historical_features import historical_features
from training.datasets.offline_store import OfflineStore
from training.errors import TrainingError
from training.facts import shown, side_by_side
from training.notebook.asked_datasets import of_range, of_spine, of_windows
from training.notebook.catalogue_tables import group_table, view_table
from training.notebook.given_tables import as_given, as_instant, as_polars, refuse_index
from training.notebook.group_view import group_spine, group_view
from training.notebook.kept_runs import kept_runs
from training.notebook.project_model import ProjectModel
from training.notebook.shown_work import shown_work
from training.progress import Tell
from training.registry.version_facts import facts_of_version, find_version
from training.registry.version_list import list_versions
from training.registry.versions import Registry
from training.settings import TrainingSettings, load_settings


class Project:
    """The definitions, lake, registry and runs that the settings name; `Project(lake=...)` overrides one of them.

    What takes a table takes one of Polars, pandas or Arrow. What Millrace refuses is a MillraceError.
    """

    def __init__(self, *, progress: bool = True, **settings: Any) -> None:
        """settings: those of training, by their names without MILLRACE_ and in lower case. Raises TrainingError.

        progress: whether what takes time shows a bar, in a notebook and on a console.
        """
        self._progress = progress
        known = load_settings()
        for name in settings:
            if name not in TrainingSettings.model_fields:
                raise TrainingError(
                    f"Training has no setting {name!r}.{did_you_mean(name, TrainingSettings.model_fields)} It has "
                    f"{', '.join(TrainingSettings.model_fields)}."
                )
        self.settings = TrainingSettings(**{**known.model_dump(), **settings})

    @cached_property
    def catalogue(self) -> Catalogue:
        """The definitions."""
        return load_definitions(self.settings.definitions)

    def views(self) -> pl.DataFrame:
        """The feature views: name, version, source of the rows, task of the label, number of features, groups."""
        return view_table(self.catalogue)

    def groups(self) -> pl.DataFrame:
        """The feature groups: label, keys of the entity, sources, features."""
        return group_table(self.catalogue)

    def dataset(self, view: str | None = None, spine: Any = None, **asked: Any) -> DatasetTable:
        """A dataset: a table with what it was made from, which `write(directory)` exports and `rebuild` makes again.

        view: may be left out where there is one. Without a spine: labelled events in a train, a gap and a test window;
        cutoff, train_days, delay_days, test_days, train_from to test_to, entity and seed choose them, else the split of
        the view's model, whose name is `model` where there are several. With start or
        end: all events between them, labelled or not. With a spine: a table of entity keys, request fields and `as_of`;
        truth ("as-served" or "event-time"), lag in seconds; label: its own column, or with_labels=True for those of the
        view that had arrived by the cutoff. split divides the last two: "entity", "stratified", "folds:5". The
        labels to train with in `fold_1` are `label_fold_1`. Raises DatasetError.
        """
        found = self.view(view)
        check_functions(found)
        if spine is not None:
            refuse_index(spine, found)
            with self._shown_work() as tell:
                return of_spine(self.settings, found, as_polars(spine), tell, **asked)
        with self._shown_work() as tell:
            if {"start", "end", "split"} & asked.keys() or found.labels is None:
                return of_range(self.settings, found, tell, **asked)
            return of_windows(self.settings, found, asked, tell)

    def open(self, directory: str | Path) -> DatasetTable:
        """An exported dataset. Raises DatasetError."""
        return read_directory(Path(directory))

    def rebuild(self, directory: str | Path) -> DatasetTable:
        """An exported dataset, built again. Raises DatasetError where one bit differs, and says which."""
        at_once = self.settings.spine_events_at_once
        with self._shown_work() as tell:
            return rebuild(self._store, self.catalogue.views, Path(directory), tell, at_once)

    def features(self, group: str, keys: Any, as_of: Any = None) -> Any:
        """The features of a group for entities as of instants, as the endpoint could have answered.

        group: a name, or a label with its version. keys: a table with the key columns of the entity. as_of: one
        instant for all rows; None: `keys` has a column `as_of`. The answer is `keys` with the features behind it.
        """
        view = group_view(self.catalogue, group)
        refuse_index(keys, view)
        spine = group_spine(as_polars(keys), as_instant(as_of, "as_of"))
        at_once = self.settings.spine_events_at_once
        with self._shown_work() as tell:
            given = check_spine(view, spine, group=view.label)
            found = historical_features(self._store, given, tell=tell, events_at_once=at_once)
        return as_given(found, keys)

    def model(self, name: str | None = None, version: int | str | None = None) -> ProjectModel:
        """A published version, to predict with. version: a number or an alias; None: the champion, or the newest.

        name: may be left out where there is one model. Raises RegistryError.
        """
        text = None if version is None else str(version)
        return ProjectModel.open(self.settings, self.catalogue, self._model_name(name), text, self._shown_work)

    def models(self) -> pl.DataFrame:
        """The versions of all models."""
        found = [{**each, "metrics": shown(each["metrics"])} for each in list_versions(self.registry)]
        return pl.DataFrame(found)

    def compare(self, first: int | str, second: int | str, model: str | None = None) -> pl.DataFrame:
        """Two versions of a model side by side: a row for each fact in which they differ, and for each metric.

        A version is a number or an alias. Raises RegistryError.
        """
        name = self._model_name(model)
        one, two = (find_version(self.registry, name, str(each)) for each in (first, second))
        rows = side_by_side(*(facts_of_version(self.registry, name, each) for each in (one, two)))
        return pl.DataFrame(
            [
                {
                    "section": row.section,
                    "fact": row.name,
                    f"version {one}": shown(row.first),
                    f"version {two}": shown(row.second),
                    "difference": row.difference,
                }
                for row in rows
                if row.section == "metrics" or not row.same
            ],
            infer_schema_length=None,
        )

    def runs(self) -> pl.DataFrame:
        """The runs whose results are kept, the newest first: of which view, how they ended, what they said last."""
        return kept_runs(self.settings.training_runs)

    @property
    def registry(self) -> Registry:
        """The model registry."""
        return Registry(self.settings.registry)

    def view(self, name: str | None = None) -> FeatureView:
        """A feature view by its name; the newest version. Raises TrainingError or DefinitionError."""
        if name is not None:
            return self.catalogue.view(name)
        names = sorted({each.name for each in self.catalogue.views})
        if len(names) != 1:
            raise TrainingError(f"There are {len(names)} views. They are {', '.join(names)}. Name one of them.")
        return self.catalogue.view(names[0])

    @property
    def _store(self) -> OfflineStore:
        return OfflineStore(self.settings.lake)

    def _shown_work(self) -> AbstractContextManager[Tell]:
        return shown_work(is_shown=self._progress)

    def _model_name(self, name: str | None) -> str:
        registry = self.registry
        names = [each for each in registry.models() if registry.versions(each)] if name is None else []
        if name is None and len(names) != 1:
            raise TrainingError(
                f"The registry has {len(names)} models. They are {', '.join(names) or 'none'}. Name one of them."
            )
        return names[0] if name is None else name

    def _facts(self) -> list[tuple[str, str]]:
        settings = self.settings
        return [
            ("definitions", settings.definitions),
            ("views", ", ".join(each.label for each in self.catalogue.views)),
            ("lake", str(settings.lake)),
            ("registry", f"{settings.registry}: {', '.join(self.registry.models()) or 'no model yet'}"),
            ("runs", str(settings.training_runs)),
        ]

    def __repr__(self) -> str:
        return "\n".join(["Project", *(f"  {name:12} {value}" for name, value in self._facts())])

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><th>{name}</th><td>{escape(value)}</td></tr>" for name, value in self._facts())
        return f"<table><caption>Project</caption>{rows}</table>"
