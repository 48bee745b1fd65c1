"""Which model version scores a view's events: the one that an alias of the registry names, as the endpoint takes it.

A new version takes over between two transactions. One that cannot be loaded is told once, and the previous one scores.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from shared_features.definitions import FeatureView
from shared_features.errors import FeatureError, ManifestMismatchError
from shared_features.formats.model_manifest import ALIASES, MANIFEST_FILE, MODEL_FILE
from streaming.log import get_log
from streaming.scores.scoring_model import ScoringModel, load_scoring_model

_LOG = get_log("scores")

Lacks = Callable[[FeatureView], str | None]
"""Why stored features of a view are not up to date; None when they are."""


class AnsweringModel:
    """Of one view. versions: those that are defined, the newest last. lacks: asked before another version of the view
    takes over. directory: of the model in the registry. fetch: copies into it what the alias names on object storage.
    """

    def __init__(
        self,
        versions: tuple[FeatureView, ...],
        directory: Path,
        alias: str,
        poll_s: float,
        lacks: Lacks = lambda view: None,
        clock_s: Callable[[], float] = time.monotonic,
        fetch: Callable[[], None] = lambda: None,
    ) -> None:
        self._fetch = fetch
        self._versions, self._directory, self._alias = versions, directory, directory / ALIASES / alias
        self._poll_s, self._lacks, self._clock_s = poll_s, lacks, clock_s
        self._looked_s = float("-inf")
        self._current: ScoringModel | None = None
        self._known: Any = None
        self._told = ""

    def current(self) -> ScoringModel | None:
        """The version that scores now. None while none was published, or the published one cannot be loaded."""
        now_s = self._clock_s()
        if now_s - self._looked_s >= self._poll_s:
            self._looked_s = now_s
            self._look()
        return self._current

    def _look(self) -> None:
        try:
            self._fetch()
            named = self._alias.read_text().strip()
        except (FileNotFoundError, NotADirectoryError):  # nothing was published yet, or the alias was removed
            return
        except (OSError, FeatureError) as error:
            self._tell("refused a model version", str(error))
            return
        trace = named, *map(_stamp, (self._directory / named / MANIFEST_FILE, self._directory / named / MODEL_FILE))
        if trace != self._known and self._take(named):
            self._known = trace

    def _take(self, named: str) -> bool:
        """Whether the version need not be looked at again until its files change."""
        before = self._current
        try:
            if not named.isdecimal():
                raise ManifestMismatchError(f"The alias holds {named[:60]!r}, not a version. Promote a version.")
            model = load_scoring_model(self._directory / named, self._versions)
        except FeatureError as error:
            self._tell("refused a model version", str(error))
            return True
        except OSError as error:
            self._tell("refused a model version", str(error))
            return False  # it may be readable in a moment
        if before is not None and model.view != before.view and (why := self._lacks(model.view)) is not None:
            self._tell("waiting for the features of a model; the previous version scores", why)
            return False
        self._current, self._told = model, ""
        _LOG.info("scoring with model", view=model.view.label, model=model.manifest.model,
                  version=model.manifest.version)  # fmt: skip
        return True

    def _tell(self, event: str, reason: str) -> None:
        if reason != self._told:
            self._told = reason
            _LOG.error(event, view=self._versions[-1].name, model=self._directory.name, reason=reason)


def _stamp(file: Path) -> tuple[int, ...] | None:
    with suppress(OSError):
        found = file.stat()
        return found.st_ino, found.st_size, found.st_mtime_ns
    return None
