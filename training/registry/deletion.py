"""Deleting a version: refused while an alias names it or a roll-back returns to it; its manifest and number stay."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from shared_features.errors import FormatVersionError
from shared_features.formats.model_manifest import MANIFEST_FILE
from shared_features.formats.registry_log import RegistryChange
from training.errors import RegistryError
from training.registry.aliases import Aliases
from training.registry.registry_log import Append, this_user
from training.registry.storage.registry_store import Change
from training.registry.versions import Registry


@dataclass(frozen=True)
class Deleted:
    """What a deletion releases.

    held_from_us: from which event time on the version's dataset held back retention; None: it could not be read.
    still_held_by: another version, as model and number, whose dataset holds back the same events or more.
    """

    held_from_us: int | None
    still_held_by: tuple[str, int] | None


def delete_version(registry: Registry, model: str, version: int, why: str = "", who: str | None = None) -> Deleted:
    """Delete a version. Raises RegistryError for one that is needed."""

    def step(change: Change, append: Append) -> Deleted:
        digest = hashlib.sha256(registry.read(model, version, MANIFEST_FILE)).hexdigest()
        _refuse_needed(registry, model, version)
        released = _released(registry, model, version)
        at_us = registry.log.now_us()
        append(RegistryChange(at_us, who or this_user(), "delete", model, version, why, digest=digest))
        registry.delete(model, version, change)
        return released

    return registry.log.change(step)


def _refuse_needed(registry: Registry, model: str, version: int) -> None:
    aliases = Aliases(registry)
    promote = f"`python -m training registry promote {model} VERSION"
    logged = {each.alias: each for each in registry.log.changes(model) if each.alias}
    for alias, move in logged.items():
        if move.action != "remove-alias" and move.version == version and aliases.of(model).get(alias) != version:
            raise RegistryError(
                f"Version {version} of {model} cannot be deleted. The log says that {alias} names it, and the alias "
                f"is about to be moved, or its move was interrupted. Promote the version that is meant: {promote}`."
            )
    for alias, named in aliases.of(model).items():
        option = "" if alias == "champion" else f" --alias {alias}"
        if named == version:
            raise RegistryError(
                f"Version {version} of {model} cannot be deleted. Its alias {alias} names that version. Let the alias "
                f"name another one first: {promote}{option}`."
            )
        if aliases.before(model, alias) == version:
            raise RegistryError(
                f"Version {version} of {model} cannot be deleted. A roll-back of {alias} from version {named} returns "
                f"to it. Promote a newer version first, so that {named} is what a roll-back returns to: "
                f"{promote}{option}`."
            )


def _released(registry: Registry, model: str, version: int) -> Deleted:
    start_us = _start_us(registry, model, version)
    if start_us is None:
        return Deleted(None, None)
    for name in registry.models():
        for number in registry.versions(name):
            theirs = _start_us(registry, name, number) if (name, number) != (model, version) else None
            if (
                theirs is not None
                and theirs <= start_us
                and _tables(registry, model, version) <= _tables(registry, name, number)
            ):
                return Deleted(start_us, (name, number))
    return Deleted(start_us, None)


def _start_us(registry: Registry, model: str, version: int) -> int | None:
    try:
        dataset = registry.dataset(model, version)
    except FormatVersionError:
        return None
    return None if dataset is None else dataset.split.start_us


def _tables(registry: Registry, model: str, version: int) -> set[str]:
    dataset = registry.dataset(model, version)
    return set() if dataset is None else set(dataset.tables)
