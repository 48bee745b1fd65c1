"""Which models answer: the versions that an alias of the registry names, as soon as their features are up to date."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from serving.errors import NoModelError, RefusedRequestError
from serving.log import get_log
from serving.models.model import Model, load_model, read_manifest
from serving.models.model_alias import ModelAlias, Trace
from serving.models.refused_models import RefusedModel, RefusedModels
from serving.models.registry_watch import RegistryWatch
from shared_features.definitions import FeatureView
from shared_features.registry_storage.registry_mirror import RegistryMirror


class WaitsFor(Protocol):
    """Why features of a view are not up to date, as a request would be told. None when they are."""

    def __call__(self, view: FeatureView, *, nothing_answers: bool) -> RefusedRequestError | None: ...


def _for_nothing(view: FeatureView, *, nothing_answers: bool) -> None:
    return None


class RegistryModels:
    """Models of a registry directory. A thread looks at the aliases and loads what they name; requests never wait.

    A version answers once every feature that its view reads is up to date. This holds for a roll-back, too. Until then
    the previous version answers, and `waiting` says why. The bare name of a view means the view version of the model
    that its alias names. A version that does not fit its view is not loaded: the previous version still answers, and
    `refusals` says why. `models`: view -> model, where it is not called like its view. `waits_from_start`: whether the
    first version waits too, although no version answers meanwhile. `row_within_s`: how long a model may take for a row.
    """

    def __init__(
        self,
        registry: Path | RegistryMirror,
        views: Sequence[FeatureView],
        alias: str,
        poll_s: float,
        *,
        models: Mapping[str, str] = MappingProxyType({}),
        waits_for: WaitsFor = _for_nothing,
        waits_from_start: bool = True,
        row_within_s: float = 60.0,
        loaded: Callable[[FeatureView, Model], None] = lambda view, model: None,
        refused: Callable[[RefusedModel], None] = lambda refused: None,
        refusal_ended: Callable[[RefusedModel], None] = lambda refused: None,
    ) -> None:
        self._mirror = registry if isinstance(registry, RegistryMirror) else None
        folder = registry.folder if isinstance(registry, RegistryMirror) else registry
        self._alias, self._models = ModelAlias(folder, alias), models
        self._others: dict[str, list[str]] = {}
        self._views: dict[str, list[FeatureView]] = {}
        for view in sorted(views, key=lambda each: each.version):
            self._views.setdefault(view.name, []).append(view)
        self._waits_for, self._waits_from_start = waits_for, waits_from_start
        self._loaded, self._row_within_s = loaded, row_within_s
        self._current: dict[str, Model] = {}
        self._answering: dict[str, FeatureView] = {}
        self._waiting: dict[str, tuple[str, str, RefusedRequestError]] = {}
        self.refusals = RefusedModels(refused, refusal_ended)
        """The versions that an alias names and that were not loaded."""
        self._watch = RegistryWatch(self.look, lambda: bool(self._waiting), poll_s)
        self._log = get_log("serving.models")

    def start(self) -> None:
        """Load what there is, then keep looking in the background.

        Features that only have to reach what others had a moment ago are waited for: nobody is refused for them. A
        registry that does not answer is not waited for. Its models answer once it does.
        """
        self._watch.start()

    def stop(self) -> None:
        """End the background thread, unless the registry keeps it from ending."""
        self._watch.stop()

    def current(self, view: FeatureView) -> Model:
        """See Models."""
        model = self._current.get(view.label)
        if model is not None:
            return model
        label, version, error = self._waiting.get(view.name, (None, "", None))
        if label == view.label and error is not None:
            raise type(error)(
                f"Model {self._model(view.name)} {version} waits for its features: {error.detail}", **error.extra
            )
        if silence := self._silence():
            raise NoModelError(f"No model of view {view.label} was loaded yet. {silence}")
        refused = self.refusals.of(view.name)
        if refused is not None and refused.view == view.label:
            raise NoModelError(f"The published model of view {view.label} was not loaded: {refused.reason}")
        raise NoModelError(
            f"No model of view {view.label} has the alias {self._alias.alias!r} yet. "
            f"{_way_to_a_model(view, self._others.get(view.name, []))}"
        )

    def answering(self, name: str) -> FeatureView | None:
        """See Models."""
        return self._answering.get(name)

    def waiting(self) -> list[str]:
        """See Models."""
        found = []
        for name, (label, version, error) in sorted(self._waiting.items()):
            meanwhile = self._meanwhile(name)
            model = self._model(name)
            found.append(f"Model {model} {version} of view {label} waits for its features, {meanwhile}: {error.detail}")
        silence = self._silence()
        return [*found, silence] if silence else found

    def _silence(self) -> str:
        """That the registry does not answer, as a sentence; empty where it does."""
        of_storage = "" if self._mirror is None else self._mirror.silence()
        return of_storage or self._watch.silence()

    def refused(self) -> list[str]:
        """See Models."""
        return [
            f"Model {each.model} {each.version or '(no version)'} of view {each.view} was refused, "
            f"{self._meanwhile(each.view.partition(':')[0])}: {each.reason}"
            for each in self.refusals.all()
        ]

    def _meanwhile(self, name: str) -> str:
        before = self._answering.get(name)
        model = None if before is None else self._current.get(before.label)
        return "no model answers" if model is None else f"model {model.name} {model.version} still answers"

    def look(self) -> None:
        """Look at the alias of every view once."""
        for name, versions in self._views.items():
            view, model, named, trace = versions[-1], self._model(name), "", Trace()
            try:
                if self._mirror is not None:
                    self._mirror.fetch(model)
                found = self._alias.named(model)
                if found is None:
                    self._without_alias(name)
                    continue
                named, trace = found, self._alias.trace(model, found)
                if not self.refusals.is_unchanged(name, trace):
                    directory = self._alias.directory(model, named)
                    view = self._view_of(directory, versions)
                    self._take(view, directory)
            except Exception as error:  # a broken version must not end the thread that loads its successor
                self._waiting.pop(name, None)
                self.refusals.add(view, model, named, trace, error)

    def _without_alias(self, name: str) -> None:
        """The alias names nothing: the loaded model still answers."""
        self._others[name] = [] if name in self._answering else self._alias.of_view(name)
        self.refusals.end(name)
        self._waiting.pop(name, None)

    def _view_of(self, directory: Path, versions: list[FeatureView]) -> FeatureView:
        """The view version that a model was trained on, or the newest one if that version is no longer defined."""
        known = {each.label: model for each in versions if (model := self._current.get(each.label))}
        for each in versions:
            if each.label in known and str(known[each.label].version) == directory.name:
                return each
        trained_on = read_manifest(directory).view.version
        return next((each for each in versions if each.version == trained_on), versions[-1])

    def _take(self, view: FeatureView, directory: Path) -> None:
        model, name, version = self._current.get(view.label), view.name, directory.name
        is_loaded = model is not None and str(model.version) == version
        if not (is_loaded and self._answering.get(name) == view):
            if self._has_to_wait(view, version):
                self.refusals.end(name)
                return
            if not is_loaded:
                model = self._current[view.label] = load_model(directory, view, self._row_within_s)
                self._loaded(view, model)
            self._answering[name] = view
            self._log.info("switched to model", view=view.label, model=self._model(name), version=int(version),
                           alias=self._alias.alias)  # fmt: skip
        self._waiting.pop(name, None)
        self.refusals.end(name)

    def _has_to_wait(self, view: FeatureView, version: str) -> bool:
        if view.name not in self._answering and not self._waits_from_start:
            return False
        error = self._waits_for(view, nothing_answers=view.name not in self._answering)
        if error is None:
            return False
        said = self._waiting.get(view.name)
        self._waiting[view.name] = view.label, version, error
        if said is None or said[:2] != (view.label, version):
            meanwhile = self._meanwhile(view.name)
            self._log.warning("waiting for the features of a model", view=view.label, model=self._model(view.name),
                              version=int(version), meanwhile=meanwhile, reason=error.detail)  # fmt: skip
        return True

    def _model(self, view: str) -> str:
        """The model that answers for a view of this name."""
        return self._models.get(view, view)


def _way_to_a_model(view: FeatureView, others: Sequence[str]) -> str:
    if others:
        return (
            f"{' and '.join(others)} {'is a model' if len(others) == 1 else 'are models'} of it. Let one answer: "
            f"MILLRACE_ANSWERING_MODELS={{{json.dumps(view.name)}: {json.dumps(others[0])}}}."
        )
    if view.labels is None:
        return f"The view has no labels to train on. Give view {view.name!r} its labels, and train it then."
    train = f"python -m training run --view {view.name}"
    return f"Train one with `{train}`, or wait where a schedule or `millrace up` trains it."
