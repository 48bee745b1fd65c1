"""Which models are compared with those that answer: the versions that another alias of the registry names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from serving.models.model import Model
from serving.models.registry_models import RegistryModels
from shared_features.definitions import FeatureView


class ChallengerModels(RegistryModels):
    """Challengers are loaded and verified as champions are. One ends as soon as its alias is removed."""

    def __init__(self, *given: Any, ended: Callable[[FeatureView], None] = lambda view: None, **parts: Any) -> None:
        """See RegistryModels. ended: called when the view has a challenger no longer."""
        super().__init__(*given, **parts)
        self._ended = ended

    def loaded(self, view: FeatureView) -> Model | None:
        """The challenger of a view; None where there is none, or where it was trained on another version of the view.

        Its features are those of the champion, so they are as fresh.
        """
        return self._current.get(view.label) if self._answering.get(view.name) == view else None

    def _without_alias(self, name: str) -> None:
        super()._without_alias(name)
        view = self._answering.pop(name, None)
        if view is not None:
            del self._current[view.label]
            self._ended(view)
            self._log.info("ended the challenger", view=view.label, model=self._model(name))

    def _meanwhile(self, name: str) -> str:
        view = self._answering.get(name)
        model = None if view is None else self._current[view.label]
        return "there is no challenger" if model is None else f"challenger {model.version} is still compared"
