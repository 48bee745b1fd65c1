"""Published versions that were not loaded: each is told once, and tried again when its files or its alias change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from serving.log import get_log
from serving.models.model_alias import Trace
from shared_features.definitions import FeatureView
from shared_features.errors import FeatureError

_MOST_DIGITS = 18


@dataclass(frozen=True)
class RefusedModel:
    """A version that an alias names and that does not answer. version: the empty text where the alias names none.

    kind: of the error. reason: what clients may read; it has no path of this machine. cause: what the log says.
    """

    view: str
    model: str
    version: str
    kind: str
    reason: str
    cause: str

    @staticmethod
    def of(view: FeatureView, model: str, version: str, error: Exception) -> RefusedModel:
        kind = type(error).__name__
        if isinstance(error, OSError):
            file = Path(str(error.filename or "a file")).name
            why = error.strerror or kind
            reason = f"The file {file} cannot be read ({why}). See that it is there and that this service may read it."
        elif isinstance(error, FeatureError):
            reason = f"{kind}: {error}"
        else:
            reason = f"{kind}. The log of this service has the cause."
        named = version if version.isdecimal() and len(version) <= _MOST_DIGITS else ""
        return RefusedModel(view.label, model, named, kind, reason, f"{kind}: {error}")


class RefusedModels:
    """By the name of the view. told: called for each refusal. ended: called when its version is named no longer.

    What cannot be read may be readable a moment later, so it is tried again each time.
    """

    def __init__(
        self,
        told: Callable[[RefusedModel], None] = lambda refused: None,
        ended: Callable[[RefusedModel], None] = lambda refused: None,
    ) -> None:
        self._told, self._ended = told, ended
        self._known: dict[str, tuple[RefusedModel, Trace, bool]] = {}
        self._log = get_log("serving.models")

    def of(self, name: str) -> RefusedModel | None:
        """That of a view's model. Any thread may ask."""
        known = self._known.get(name)
        return None if known is None else known[0]

    def all(self) -> list[RefusedModel]:
        """By name. Any thread may ask."""
        return [known[0] for _, known in sorted(self._known.items())]

    def is_unchanged(self, name: str, trace: Trace) -> bool:
        """Whether this very version was refused, and would be again: nothing of it has changed."""
        known = self._known.get(name)
        return known is not None and known[2] and known[1] == trace

    def add(self, view: FeatureView, model: str, version: str, trace: Trace, error: Exception) -> None:
        """One more refusal. The log and the metric have it, unless it is the last one, of unchanged files."""
        refused = RefusedModel.of(view, model, version, error)
        before = self._known.get(view.name)
        if before is not None and before[:2] == (refused, trace):
            return
        if before is not None and before[0] != refused:
            self._ended(before[0])
        self._known[view.name] = refused, trace, not isinstance(error, (OSError, MemoryError))
        self._told(refused)
        self._log.error("refused a model version; keeping the previous one", view=refused.view, model=refused.model,
                        version=refused.version or None, reason=refused.cause)  # fmt: skip

    def end(self, name: str) -> None:
        """The alias names another version, which was loaded, or none."""
        known = self._known.pop(name, None)
        if known is not None:
            self._ended(known[0])
