"""The verdicts of the gate, kept in the registry: the newest of each version, and a line of the log for each.

A version never changes, so its verdict lies beside the versions of its model: `<model>/verdicts/<version>.json`.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from shared_features.errors import FormatVersionError
from shared_features.formats.model_manifest import VERDICTS
from shared_features.formats.registry_log import RegistryChange
from shared_features.kernel.event_time import to_text
from shared_features.registry_storage.reader import Stored
from training.registry.gate.check import verdict_of
from training.registry.gate.verdict_document import ASK_AGAIN, decode_verdict, encode_verdict
from training.registry.registry_log import Append, this_user
from training.registry.storage.registry_store import Change
from training.registry.versions import Registry

NONE_KEPT = "none is kept: the gate was not asked, or by a release that kept none"
_WRITTEN_WITHIN_S, _LOOK_EVERY_S = 30, 0.2
_ASK_AGAIN = f"{ASK_AGAIN.capitalize()}."


def keep_verdict(registry: Registry, promotion: Mapping[str, Any], by: str, who: str | None = None) -> bool:
    """Keep what the gate decided; False where it was not asked, or where the kept verdict is newer or says the same.

    Of the champion nothing is asked: its verdict is written again where it is at fault, as after a process was killed.
    promotion: as `promotion.json`. by: what asked. Figures that were measured differ by chance and make no other
    verdict. Raises RegistryError where the version is gone.
    """
    model, version = promotion["model"], promotion["version"]

    def step(change: Change, append: Append) -> bool:
        registry.where(model, version)
        known = registry.store.read(_key(model, version))
        is_sound = not any(_faults(registry, model, version))  # what cannot be read is a fault
        kept = decode_verdict(known.content, "") if is_sound and known else None
        if is_sound and (promotion["champion_before"] == version or _is_newer_or_same(kept, promotion)):
            return False
        at_us = registry.log.now_us()
        content = encode_verdict(promotion, to_text(at_us), by)
        digest = hashlib.sha256(content).hexdigest()
        why = f"{tell_decision(promotion)}: {'; '.join(promotion['reasons'])}"
        append(RegistryChange(at_us, who or this_user(), "gate", model, version, why, digest=digest))
        change.replace(_key(model, version), content, known)
        return True

    return registry.log.change(step)


def kept_verdict(registry: Registry, model: str, version: int) -> dict[str, Any] | None:
    """The newest verdict of a version, a `Verdict` as plain data. None: none is kept.

    Raises FormatVersionError where it cannot be read.
    """
    found = registry.store.read(_key(model, version))
    return None if found is None else decode_verdict(found.content, _where(registry, model, version))


def newer_refusal(registry: Registry, promotion: Mapping[str, Any]) -> str:
    """What refused the version after this was decided; empty where nothing did. One that cannot be read counts not."""
    try:
        kept = kept_verdict(registry, promotion["model"], promotion["version"])
    except FormatVersionError:
        return ""
    if kept is None or kept["promoted"] or not _is_newer(kept, promotion):
        return ""
    return f"the gate was asked again at {kept['asked_at']}, by {kept['asked_by']}: {'; '.join(kept['reasons'])}"


def verdict_facts(registry: Registry, model: str, version: int) -> dict[str, Any]:
    """Under names for people: what the gate decided, and each thing that it asked with what it found."""
    try:
        kept = kept_verdict(registry, model, version)
    except FormatVersionError as error:
        return {"verdict": f"none that can be read. {error}"}
    if kept is None:
        return {"verdict": NONE_KEPT}
    champion = kept["champion_before"]
    return {
        "verdict": tell_decision(kept),
        "asked at": kept["asked_at"],
        "asked by": kept["asked_by"],
        "beside": "no champion" if champion is None else "itself" if champion == version else f"version {champion}",
        **{each["asked"]: f"{verdict_of(each).lower()}: {each['found']}" for each in kept["checks"]},
    }


def verdict_faults(
    registry: Registry, model: str, version: int, wait: Callable[[float], None] = time.sleep
) -> Iterator[str]:
    """What is wrong with the kept verdict, against the log; and where it cannot be read. wait: for seconds.

    A gate that is asked meanwhile writes the log and then the verdict. So what is wrong is looked at again, until the
    line of the log is so old that its process was killed.
    """
    faults = list(_faults(registry, model, version))
    for _ in range(int(_WRITTEN_WITHIN_S / _LOOK_EVERY_S)):  # no longer, also where the gate's clock is ahead
        if not faults or not _may_be_written_now(registry, model, version):
            break
        wait(_LOOK_EVERY_S)
        faults = list(_faults(registry, model, version))
    if faults:  # it may have been written since
        yield from _faults(registry, model, version)


def _may_be_written_now(registry: Registry, model: str, version: int) -> bool:
    """Whether a young line of the log has no verdict yet: there is none, or that of an earlier line."""
    found, lines = registry.store.read(_key(model, version)), _lines(registry, model, version)
    if not lines or registry.log.now_us() - lines[-1].at_us >= _WRITTEN_WITHIN_S * 1_000_000:
        return False
    return found is None or hashlib.sha256(found.content).hexdigest() in [each.digest for each in lines[:-1]]


def _lines(registry: Registry, model: str, version: int) -> list[RegistryChange]:
    """Of the gate in the log, since the version was published."""
    changes = [each for each in registry.log.changes(model) if each.version == version]
    published = max((at for at, each in enumerate(changes) if each.action == "publish"), default=0)
    return [each for each in changes[published:] if each.action == "gate"]


def _faults(registry: Registry, model: str, version: int) -> Iterator[str]:
    found, where = registry.store.read(_key(model, version)), _where(registry, model, version)
    told = [each.digest for each in _lines(registry, model, version)]
    if told and (found is None or hashlib.sha256(found.content).hexdigest() != told[-1]):
        yield (
            f"The verdict {where} is not the one of which the log says {told[-1][:12]}. It was changed, or a process "
            f"was killed when it wrote it. {_ASK_AGAIN}"
        )
    elif found is not None and not told:
        yield f"The verdict {where} has no line in the log. It was put there by hand, or the log lost it. {_ASK_AGAIN}"
    elif found is not None and (damage := _damage(found, where)):
        yield damage


def _key(model: str, version: int) -> str:
    return f"{model}/{VERDICTS}/{version}.json"


def _where(registry: Registry, model: str, version: int) -> str:
    return registry.store.where(_key(model, version))


def _damage(found: Stored, where: str) -> str:
    """Why it cannot be read; empty where it can."""
    try:
        decode_verdict(found.content, where)
    except FormatVersionError as error:
        return str(error)
    return ""


def tell_decision(promotion: Mapping[str, Any]) -> str:
    """Whether the version may become champion, in a few words."""
    if promotion["champion_before"] == promotion["version"]:
        return "is champion already"
    return "may become champion" if promotion["promoted"] else "stays a challenger"


def _is_newer_or_same(kept: Mapping[str, Any] | None, promotion: Mapping[str, Any]) -> bool:
    return kept is not None and (_is_newer(kept, promotion) or _meaning(kept) == _meaning(promotion))


def _is_newer(kept: Mapping[str, Any], promotion: Mapping[str, Any]) -> bool:
    """A run that was killed after it decided continues later: by then, the gate may have been asked again."""
    asked_at = promotion.get("asked_at")
    return asked_at is not None and datetime.fromisoformat(kept["asked_at"]) > datetime.fromisoformat(asked_at)


def _meaning(promotion: Mapping[str, Any]) -> tuple[Any, ...]:
    checks = tuple((each["asked"], verdict_of(each)) for each in promotion["checks"])
    return promotion["promoted"], promotion["champion_before"], checks
