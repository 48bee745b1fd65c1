"""A published model in a notebook: what it is, and what it says of rows."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from html import escape
from typing import Any

from shared_features.counted import counted
from shared_features.definitions import Catalogue
from training.datasets.given_spine import check_spine
from training.datasets.historical_features import HistoricalRows, historical_rows
from training.datasets.offline_store import OfflineStore
from training.errors import DatasetError
from training.facts import Facts, shown
from training.inference.published_model import PublishedModel, open_model
from training.inference.rows_to_predict import Slice, read_features
from training.notebook.given_tables import as_given, as_polars, refuse_index
from training.progress import Tell
from training.registry.version_facts import facts_of_version
from training.registry.versions import Registry
from training.settings import TrainingSettings

_SECTIONS = ("version", "view", "metrics")


@dataclass(frozen=True, repr=False)
class ProjectModel:
    """facts: of the version, in sections. shown: a Tell that is shown."""

    published: PublishedModel
    facts: Facts
    store: OfflineStore
    events_at_once: int
    shown: Callable[[], AbstractContextManager[Tell]]

    @classmethod
    def open(
        cls,
        settings: TrainingSettings,
        catalogue: Catalogue,
        name: str,
        version: str | None,
        shown: Callable[[], AbstractContextManager[Tell]],
    ) -> ProjectModel:
        """Raises RegistryError, or ManifestMismatchError where the definitions are others by now."""
        registry = Registry(settings.registry)
        published = open_model(registry, catalogue, name, version)
        facts = facts_of_version(registry, name, published.manifest.version)
        return cls(published, facts, OfflineStore(settings.lake), settings.spine_events_at_once, shown)

    @property
    def version(self) -> int:
        return self.published.manifest.version

    def predict(self, rows: Any) -> Any:
        """The rows with what the model says of each, as the endpoint would answer.

        rows: a table or a dataset with the features of the view, or with what a request carries and `as_of`; then the
        features are computed as served. Raises DatasetError.
        """
        given, view = as_polars(rows), self.published.view
        refuse_index(rows, view)
        if taken := [name for name in self.published.names if name in given.columns]:
            raise DatasetError(
                f"The rows have columns with the names of predictions: {', '.join(taken)}. The predictions would "
                "replace them. Rename or drop these columns."
            )
        known: Slice | HistoricalRows
        with self.shown() as tell:
            if {each.name for each in view.columns} <= set(given.columns):
                known = read_features(view, given)
            else:
                spine = check_spine(view, given)
                known = historical_rows(self.store, spine, tell=tell, events_at_once=self.events_at_once)
            tell(f"predicting {counted(len(given), 'row')}")
            return as_given(given.with_columns(self.published.predict(known.matrix, known.codes)), rows)

    def __repr__(self) -> str:
        lines = [f"  {name:24} {text}" for name, text in self._shown()]
        return "\n".join([self.published.label, *lines])

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in self._shown())
        return f"<table><caption>{escape(self.published.label)}</caption>{rows}</table>"

    def _shown(self) -> list[tuple[str, str]]:
        found = [(name, shown(value)) for section in _SECTIONS for name, value in self.facts[section].items()]
        return [(name, text) for name, text in found if text]
