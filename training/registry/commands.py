"""`python -m training registry VERB`: looks at the registry, verifies and changes it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

from shared_features.counted import counted
from shared_features.formats.registry_log import RegistryChange
from shared_features.kernel.event_time import to_text
from training.errors import RegistryError
from training.facts import compared_lines, shown, side_by_side, table_lines
from training.registry.aliases import Aliases
from training.registry.deletion import delete_version
from training.registry.model_card_command import show_model_card
from training.registry.registry_log import tell_move
from training.registry.verification import Verified, verify_all
from training.registry.version_facts import (
    definition_changes,
    facts_of_version,
    feature_changes,
    find_version,
    is_measured,
    says_something,
)
from training.registry.version_list import is_without_trees, list_versions, version_lines, without_trees
from training.registry.versions import Registry

Said = Callable[[Registry, argparse.Namespace], tuple[dict[str, Any], list[str]]]
"""A verb, and what it says: plain facts, and lines for people."""
_NONE: Mapping[str, Said] = MappingProxyType({})
_FAULTY = 1


def look_at_registry(registry: Registry, options: argparse.Namespace, more: Mapping[str, Said] = _NONE) -> int:
    """Returns the exit code: 1 where `verify` finds a fault. Raises RegistryError.

    more: verbs that stand on more than the registry.
    """
    try:
        if options.verb in more:
            return _say_either(options, *more[options.verb](registry, options))
        return _VERBS[options.verb or "list"](registry, options)
    except OSError as error:
        raise RegistryError(
            f"The registry {registry.store.address} cannot be used: {error}. See that its disk is there, that it has "
            "room and that this user may read and write it."
        ) from error


def _list(registry: Registry, options: argparse.Namespace) -> int:
    if options.model is not None:
        find_version(registry, options.model, None)
    found = [
        {**each, "lacks_trees": bool(each["aliases"]) and is_without_trees(registry, each["model"], each["version"])}
        for each in list_versions(registry, options.model)
    ]
    if options.json:
        return _say_json(found)
    _say(*version_lines(found) if found else [f"no model in {registry.store.address} yet"])
    _say(*(without_trees(each["model"], each["version"]) for each in found if each["lacks_trees"]))
    return 0


def _show(registry: Registry, options: argparse.Namespace) -> int:
    version = find_version(registry, options.model, options.version)
    facts = facts_of_version(registry, options.model, version)
    changes = [each for each in registry.log.changes(options.model) if each.version == version]
    lacks = is_without_trees(registry, options.model, version)
    if options.json:
        plain = {"model": options.model, "version": version, **facts, "lacks_trees": lacks}
        return _say_json({**plain, "log": list(map(_plain, changes))})
    _say(f"{options.model} version {version}, in {registry.where(options.model, version)}")
    for section, found in facts.items():
        _say(*table_lines(section, [(name, shown(value)) for name, value in found.items() if shown(value)]))
    _say(*table_lines("log", list(map(_row, changes))), *([without_trees(options.model, version)] if lacks else []))
    return 0


def _model_card(registry: Registry, options: argparse.Namespace) -> int:
    return _say_either(options, *show_model_card(registry, options))


def _diff(registry: Registry, options: argparse.Namespace) -> int:
    numbers = [find_version(registry, options.model, each) for each in (options.first, options.second)]
    first, second = (registry.manifest(options.model, each) for each in numbers)
    facts = [facts_of_version(registry, options.model, each) for each in numbers]
    every = side_by_side(*facts)
    rows = list(filter(says_something, every))
    features, definitions = feature_changes(first, second), definition_changes(first, second)
    if options.json:
        plain = [
            {**asdict(each), "difference": each.difference, "same": each.same, "measured": is_measured(each)}
            for each in every
        ]
        return _say_json(
            {"model": options.model, "versions": numbers, "facts": plain, "features": features,
             "definitions": definitions}
        )  # fmt: skip
    _say(f"{options.model}: version {numbers[0]}, version {numbers[1]}, and the difference where both are numbers")
    _say(*compared_lines(rows))
    _say(*table_lines("features", [(where, ", ".join(names)) for where, names in features.items() if names]))
    _say(*table_lines("definitions", [(definitions,)] if definitions else []))
    if not rows:
        _say("nothing differs")
    return 0


def _verify(registry: Registry, options: argparse.Namespace) -> int:
    found, faults = verify_all(registry, options.model, options.version)
    if options.json:
        _say_json({"versions": [asdict(each) for each in found], "registry": faults})
    else:
        for each in found:
            _say(_verified_line(each), *(f"    {fault}" for fault in each.faults))
        _say(*faults)
    return _FAULTY if faults or any(each.faults for each in found) else 0


def _verified_line(found: Verified) -> str:
    said = f"{counted(len(found.faults), 'fault')}" if found.faults else "as it was published"
    older = f" (without a digest, from an older release: {', '.join(found.unsealed)})" if found.unsealed else ""
    return f"{found.model} version {found.version}: {counted(found.files, 'file')}, {said}{older}"


def _promote(registry: Registry, options: argparse.Namespace) -> int:
    model, version, alias = options.model, options.version, options.alias
    before = Aliases(registry).promote(model, version, alias, options.why, options.who)
    if options.json:
        return _say_json({"model": model, "alias": alias, "version": version, "before": before})
    since = " already, and nothing is changed" if before == version else f", before {before}" if before else ""
    _say(f"{alias} of {model} is version {version}{since}")
    return 0


def _roll_back(registry: Registry, options: argparse.Namespace) -> int:
    find_version(registry, options.model, None)
    moved = Aliases(registry).roll_back(options.model, options.alias, options.why, options.who)
    if options.json:
        return _say_json({"model": options.model, "alias": options.alias, **asdict(moved)})
    _say(f"{options.alias} of {options.model} is version {moved.version} again, before {moved.before}")
    return 0


def _remove_alias(registry: Registry, options: argparse.Namespace) -> int:
    find_version(registry, options.model, None)
    before = Aliases(registry).remove(options.model, options.alias, options.why, options.who)
    if options.json:
        return _say_json({"model": options.model, "alias": options.alias, "before": before})
    _say(f"{options.alias} of {options.model} is removed; it was version {before}")
    return 0


def _delete(registry: Registry, options: argparse.Namespace) -> int:
    done = delete_version(registry, options.model, options.version, options.why, options.who)
    if options.json:
        return _say_json({"model": options.model, "version": options.version, **asdict(done)})
    _say(f"version {options.version} of {options.model} is deleted; its number is not given again")
    if done.held_from_us is None:
        return 0
    since = to_text(done.held_from_us)
    if done.still_held_by is None:
        _say(f"its dataset no longer holds back retention; it did from {since} on, less the reach of the windows")
    else:
        name, number = done.still_held_by
        _say(f"version {number} of {name} still holds back retention from {since} on")
    return 0


def _log(registry: Registry, options: argparse.Namespace) -> int:
    changes = registry.log.changes(options.model)
    if options.json:
        return _say_json(list(map(_plain, changes)))
    _say(*list(table_lines("", list(map(_row, changes))))[1:] if changes else ["no change is logged yet"])
    return 0


def _export_to_mlflow(registry: Registry, options: argparse.Namespace) -> int:
    from training.registry.mlflow_bridge.commands import export_to_mlflow

    return _say_either(options, *export_to_mlflow(registry, options))


def _import_from_mlflow(registry: Registry, options: argparse.Namespace) -> int:
    from training.registry.mlflow_bridge.commands import import_from_mlflow

    return _say_either(options, *import_from_mlflow(registry, options))


def _say_either(options: argparse.Namespace, plain: dict[str, Any], lines: list[str]) -> int:
    if options.json:
        return _say_json(plain)
    _say(*lines)
    return 0


def _row(change: RegistryChange) -> tuple[str, ...]:
    at = to_text(change.at_us)[:19] + "Z"
    return at, change.who, change.action, change.model, str(change.version), tell_move(change), change.why


def _plain(change: RegistryChange) -> dict[str, Any]:
    plain = asdict(change)
    return {"at": to_text(plain.pop("at_us")), **plain}


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def _say_json(plain: Any) -> int:
    _say(json.dumps(plain, indent=2))
    return 0


_VERBS: dict[str, Callable[[Registry, argparse.Namespace], int]] = {
    "list": _list,
    "show": _show,
    "model-card": _model_card,
    "diff": _diff,
    "verify": _verify,
    "promote": _promote,
    "roll-back": _roll_back,
    "remove-alias": _remove_alias,
    "delete": _delete,
    "log": _log,
    "export-mlflow": _export_to_mlflow,
    "import-mlflow": _import_from_mlflow,
}
