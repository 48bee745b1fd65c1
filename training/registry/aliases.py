"""The aliases of the model registry: movable names such as `champion`, each for one version of a model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from shared_features.formats.model_manifest import ALIASES, CHAMPION
from shared_features.formats.registry_log import Action, RegistryChange
from shared_features.registry_storage.reader import Stored
from training.errors import RegistryError
from training.registry.registry_log import Append, this_user
from training.registry.storage.registry_store import Change
from training.registry.versions import Registry


@dataclass(frozen=True)
class Move:
    """An alias names `version` from now on, and named `before` until then; None: it named none."""

    version: int
    before: int | None


class Aliases:
    """Reads and moves the aliases of a registry. Several processes may move them at once; readers need no lock.

    Each move is logged with who and why before it is done.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def of(self, model: str) -> dict[str, int]:
        """Alias -> the version it names."""
        store = self._registry.store
        names = [each for each in store.files(f"{model}/{ALIASES}") if each[0] != "."]
        found = {each: self._named(model, each, store.read(_key(model, each))) for each in names}
        return {alias: version for alias, version in found.items() if version is not None}

    def before(self, model: str, alias: str = CHAMPION) -> int | None:
        """The version that a roll-back of the alias returns to. None: the log knows no earlier one that is kept."""
        kept = set(self._registry.versions(model))
        named = _history(each for each in self._registry.log.changes(model) if each.alias == alias)
        now = self.of(model).get(alias)
        if now in named:
            del named[len(named) - 1 - named[::-1].index(now) :]
        return next((each for each in reversed(named) if each in kept), None)

    def promote(
        self, model: str, version: int, alias: str = CHAMPION, why: str = "", who: str | None = None
    ) -> int | None:
        """Let the alias name a version, in one atomic step; returns the version that the alias named before.

        who: None takes the user of this process.
        """
        if not alias.isidentifier():
            raise RegistryError(f"Alias {alias!r} is not an identifier. Name it champion, challenger or the like.")
        self._registry.where(model, version)
        if self.of(model).get(alias) == version:
            return version
        return self._move("promote", model, version, alias, why, who).before

    def roll_back(self, model: str, alias: str = CHAMPION, why: str = "", who: str | None = None) -> Move:
        """Let the alias name the version again that it named before. Raises RegistryError where there is none."""
        return self._move("roll-back", model, None, alias, why, who)

    def remove(self, model: str, alias: str, why: str = "", who: str | None = None) -> int:
        """Let the alias name nothing; returns the version that it named. A model keeps its champion."""
        if alias == CHAMPION:
            raise RegistryError(
                f"The champion of {model} cannot be removed: serving would have no model. Promote another version, or "
                "roll back."
            )

        def step(change: Change, append: Append) -> int:
            known = self._registry.store.read(_key(model, alias))
            before = self._named(model, alias, known)
            if known is None or before is None:
                raise self._unknown(model, alias)
            at_us = self._registry.log.now_us()
            append(RegistryChange(at_us, who or this_user(), "remove-alias", model, before, why, alias, before))
            change.remove(_key(model, alias), known)
            return before

        return self._registry.log.change(step)

    def _unknown(self, model: str, alias: str) -> RegistryError:
        named = ", ".join(self.of(model)) or "none"
        return RegistryError(f"Model {model!r} has no alias {alias!r}. Its aliases: {named}. Name one of them.")

    def _move(self, action: Action, model: str, version: int | None, alias: str, why: str, who: str | None) -> Move:
        def step(change: Change, append: Append) -> Move:
            known = self._registry.store.read(_key(model, alias))
            before = self._named(model, alias, known)
            to = self._earlier(model, alias, before) if version is None else version
            self._refuse_deleted(model, to)
            at_us = self._registry.log.now_us()
            append(RegistryChange(at_us, who or this_user(), action, model, to, why, alias, before))
            change.replace(_key(model, alias), f"{to}\n".encode(), known)
            return Move(to, before)

        return self._registry.log.change(step)

    def _refuse_deleted(self, model: str, version: int) -> None:
        """It may have been deleted since it was asked for, or be about to be: what is logged is as good as done."""
        self._registry.where(model, version)
        changes = self._registry.log.changes(model)
        if any(each.action == "delete" and each.version == version for each in changes):
            raise RegistryError(
                f"Version {version} of {model} is being deleted. The log says so. Promote another one; if the deletion "
                f"was interrupted, finish it: `python -m training registry delete {model} {version}`."
            )

    def _earlier(self, model: str, alias: str, now: int | None) -> int:
        if now is None:
            raise self._unknown(model, alias)
        if (earlier := self.before(model, alias)) is None:
            raise RegistryError(
                f"{alias.capitalize()} of {model} is version {now}, and the log has no version before it. Name one: "
                f"`python -m training registry promote {model} VERSION`."
            )
        return earlier

    def _named(self, model: str, alias: str, found: Stored | None) -> int | None:
        """The version that an alias names; None where it was removed."""
        text = "" if found is None else found.content.decode(errors="replace").strip()
        if not text.isdecimal() and found is not None and found.content:
            raise RegistryError(
                f"Alias file {self._registry.store.where(_key(model, alias))} is damaged. It holds {text!r} in place "
                "of a version number. Promote a version again."
            )
        return int(text) if text else None


def _history(changes: Iterable[RegistryChange]) -> list[int]:
    """The versions that an alias has named, the last one now: a roll-back takes the last one out."""
    named: list[int] = []
    for each in changes:
        if each.before is not None and named[-1:] != [each.before]:
            named.append(each.before)  # it was moved by hand, or before there was a log
        if each.action == "roll-back" and each.version in named:
            while named[-1] != each.version:
                named.pop()
        elif named[-1:] != [each.version]:
            named.append(each.version)
    return named


def _key(model: str, alias: str) -> str:
    return f"{model}/{ALIASES}/{alias}"
