"""Which model answers a request: the champion, the challenger for its share of the entities, or the one that is named.

The share goes by entity: all requests that begin with the same entity are answered by the same version, on every
process and after every restart, until another version challenges.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from itertools import chain

from serving.errors import UnknownModelError
from serving.models.challenger_models import ChallengerModels
from serving.models.model import Model, Models
from shared_features.definitions import FeatureView

MODEL_HEADER = "Millrace-Model"
_MOST_SHOWN = 60


class ModelChoice:
    """share: of the entities that the challenger answers for, from 0 to 1. champion: the alias of who answers."""

    def __init__(
        self,
        champions: Models,
        challengers: ChallengerModels | None = None,
        *,
        share: float = 0.0,
        champion: str = "champion",
        challenger: str = "challenger",
    ) -> None:
        self._champions, self._challengers, self._share = champions, challengers, share
        self._champion, self._challenger = champion, challenger

    def current(self, view: FeatureView) -> Model:
        """See Models."""
        return self._champions.current(view)

    def answering(self, name: str) -> FeatureView | None:
        """See Models."""
        return self._champions.answering(name)

    def of(self, view: FeatureView, named: str | None, entity: Callable[[], object]) -> Model:
        """The model of one request. named: what its header says. entity: the keys that its first instance names.

        Raises UnknownModelError, NoModelError, or why the features of the model are not ready.
        """
        if named is not None:
            return self._named(view, named)
        champion = self._champions.current(view)
        if self._share:
            challenger = self.challenger(view, champion)
            if challenger is not None and _place(challenger, entity()) < self._share:
                return challenger
        return champion

    def challenger(self, view: FeatureView, champion: Model) -> Model | None:
        """The version that is compared with the one that answers; None where there is none, or the same one."""
        found = None if self._challengers is None else self._challengers.loaded(view)
        return None if found is None or found.digest == champion.digest else found

    def waiting(self) -> list[str]:
        """See Models; those of challengers, too."""
        challengers = [] if self._challengers is None else self._challengers.waiting()
        return list(dict.fromkeys([*self._champions.waiting(), *challengers]))

    def refused(self) -> list[str]:
        """See Models; those of challengers, too."""
        return [*self._champions.refused(), *([] if self._challengers is None else self._challengers.refused())]

    def _named(self, view: FeatureView, named: str) -> Model:
        if named == self._champion:
            return self._champions.current(view)
        challenger = None if self._challengers is None else self._challengers.loaded(view)
        if challenger is not None and named in (self._challenger, str(challenger.version)):
            return challenger
        champion = self._champions.current(view)
        if named == str(champion.version):
            return champion
        known = [(self._champion, champion), *([] if challenger is None else [(self._challenger, challenger)])]
        names = chain.from_iterable((alias, str(model.version)) for alias, model in known)
        raise UnknownModelError(
            f"Model {named[:_MOST_SHOWN]!r} does not answer for view {view.label}. Ask for one of "
            f"{', '.join(names)}, or for none in particular."
        )


def _place(challenger: Model, entity: object) -> float:
    """Where an entity stands among all, from 0 to 1: in another order for each challenger."""
    return zlib.crc32(f"{challenger.digest}:{entity!r}".encode()) / (1 << 32)
