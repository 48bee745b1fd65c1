"""Models that answer: what the registry's alias names, checked against the view, picked up while requests go on."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from serving.errors import NoModelError
from serving.log import get_log
from shared_features.definitions import FeatureView
from shared_features.errors import ManifestMismatchError
from shared_features.formats.model_manifest import (
    ALIASES,
    MANIFEST_FILE,
    MODEL_FILE,
    ModelManifest,
    check_manifest,
    decode_manifest,
)


@dataclass(frozen=True)
class Model:
    """A model version that answers. A request keeps the one it began with."""

    name: str
    version: int
    input_name: str
    output_name: str
    session: Any  # onnxruntime has no types

    def score(self, matrix: NDArray[np.float32]) -> list[float]:
        """One score per row, float32 as float.

        Row by row: a matrix product adds in another order for one row than for several, and a score must not depend
        on which requests happened to be read together. (Seen: a logistic regression, half of 3,000 rows.)
        """
        run, wanted, name = self.session.run, [self.output_name], self.input_name
        return [float(run(wanted, {name: matrix[row : row + 1]})[0][0]) for row in range(len(matrix))]


class Models(Protocol):
    """What the request path asks of the models."""

    def current(self, view: FeatureView) -> Model:
        """The model that answers for a view. Raises NoModelError."""


class RegistryModels:
    """Models of a registry directory. A thread looks at the aliases and loads what they name; requests never wait.

    A version that does not fit its view is not loaded: the one before goes on, and `refusals` says why.
    """

    def __init__(
        self,
        registry: Path,
        views: Sequence[FeatureView],
        alias: str,
        poll_s: float,
        loaded: Callable[[FeatureView, Model], None] = lambda view, model: None,
        refused: Callable[[FeatureView], None] = lambda view: None,
    ) -> None:
        self._registry = registry
        self._views = views
        self._alias = alias
        self._poll_s = poll_s
        self._loaded, self._refused = loaded, refused
        self._current: dict[str, Model] = {}
        self.refusals: dict[str, str] = {}
        """View label -> why the version that its alias names was not loaded."""
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._log = get_log("serving.models")

    def start(self) -> None:
        """Load what there is, then keep looking in the background."""
        self.look()
        self._thread = threading.Thread(target=self._keep_looking, name="model registry", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the background thread."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def current(self, view: FeatureView) -> Model:
        """See Models."""
        model = self._current.get(view.label)
        if model is None:
            why = self.refusals.get(view.label)
            raise NoModelError(
                f"the published model of view {view.label} was not loaded: {why}"
                if why
                else f"no model of view {view.label} has the alias {self._alias!r} yet; `python -m training run` "
                "trains one, publishes it and gives it that alias"
            )
        return model

    def look(self) -> None:
        """Look at the alias of every view once."""
        for view in self._views:
            try:
                self._look_at(view)
            except Exception as error:  # one broken version must not end the thread that would load its successor
                self._refuse(view, f"{type(error).__name__}: {error}")

    def _look_at(self, view: FeatureView) -> None:
        directory = self._registry / view.name
        try:
            version = (directory / ALIASES / self._alias).read_text().strip()
        except (FileNotFoundError, NotADirectoryError):
            return  # nothing published yet, or the alias was taken away: what is loaded goes on
        current = self._current.get(view.label)
        if current is not None and str(current.version) == version:
            self.refusals.pop(view.label, None)
            return
        if not version.isdecimal():
            raise ManifestMismatchError(f"alias {self._alias!r} holds {version!r}, which is no version; promote one")
        model = load_model(directory / version, view)
        self._current[view.label] = model
        self.refusals.pop(view.label, None)
        self._loaded(view, model)
        self._log.info("model loaded", view=view.label, model=model.name, version=model.version)

    def _refuse(self, view: FeatureView, why: str) -> None:
        if self.refusals.get(view.label) != why:
            self.refusals[view.label] = why
            self._refused(view)
            self._log.error("model not loaded; the one before goes on", view=view.label, reason=why)

    def _keep_looking(self) -> None:
        while not self._stop.wait(self._poll_s):
            self.look()


def load_model(directory: Path, view: FeatureView) -> Model:
    """The model version in a directory, ready to answer for a view.

    Raises ManifestMismatchError when it wants other features, or is not the file its manifest was written for.
    """
    manifest = decode_manifest((directory / MANIFEST_FILE).read_bytes(), f"{directory.name}/{MANIFEST_FILE}")
    check_manifest(manifest, view)
    graph = (directory / MODEL_FILE).read_bytes()
    if (digest := hashlib.sha256(graph).hexdigest()) != manifest.model_digest:
        raise ManifestMismatchError(
            f"{MODEL_FILE} of model {manifest.model} {manifest.version} has digest {digest[:12]}, its manifest says "
            f"{manifest.model_digest[:12]}; publish it again"
        )
    model = Model(manifest.model, manifest.version, manifest.input_name, manifest.output_name, open_session(graph))
    _try_out(model, manifest)
    return model


def open_session(graph: bytes) -> Any:
    """An ONNX Runtime session on one thread of the CPU: a row takes microseconds, a thread pool would cost more."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def _try_out(model: Model, manifest: ModelManifest) -> None:
    """Score a row of nothing: what cannot score fails here and not in a request."""
    empty = np.full((1, len(manifest.view.features)), np.nan, np.float32)
    model.score(empty)
