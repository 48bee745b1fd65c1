"""The section of a model card about the gate: what it asked, what it found, and why a version was promoted or not.

A version never changes, and the gate is asked again when limits or the champion change. So the files of a
version say where this section is, and `version_model_card` puts it in their place when somebody reads them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from shared_features.formats.model_manifest import VERDICTS, GraphCost
from shared_features.formats.registry_log import RegistryChange
from shared_features.kernel.event_time import to_text
from training.facts import graph_facts, shown, stability_facts
from training.registry.gate.check import verdict_of
from training.registry.gate.verdicts import NONE_KEPT, tell_decision
from training.registry.model_card.document_text import Section, Table
from training.registry.model_card.model_facts import fact_table
from training.registry.registry_log import tell_move

_TITLE = "The gate"
_ORDER = ("FAIL", "warning", "pass")
_OF_BOTH = {"ours": "this version", "theirs": "the champion"}


def gate_elsewhere(model: str) -> Section:
    """In place of the section, in the files of a version."""
    return Section(
        _TITLE,
        [
            "What the gate asked and found is not in this file, which never changes: the gate is asked after the "
            "publication, and again for another champion or other limits. `python -m training registry model-card "
            f"{model} VERSION` shows this page with it. It is kept in {model}/{VERDICTS}/VERSION.json of the registry."
        ],
    )


def gate_section(
    version: int,
    kept: Mapping[str, Any] | None,
    faults: Sequence[str] = (),
    aliases: Sequence[str] = (),
    changes: Sequence[RegistryChange] = (),
) -> Section:
    """kept: the verdict, None where there is none. faults: why it cannot be trusted. changes: of the version."""
    now = {"version": version, "aliases": list(aliases) or "none"}
    log = Table(("at", "who", "what", "why"), [_row(each) for each in changes])
    tables = [] if kept is None else list(_tables(kept))
    asked = {} if kept is None else {"asked at": kept["asked_at"], "asked by": kept["asked_by"]}
    return Section(
        _TITLE,
        [*faults, *([] if faults and kept is None else [_decided(version, kept)])],
        [fact_table({**now, **asked}), *tables, *([log] if changes else [])],
    )


def _decided(version: int, kept: Mapping[str, Any] | None) -> str:
    if kept is None:
        return f"Of version {version} there is no verdict: {NONE_KEPT}."
    champion = kept["champion_before"]
    beside = "there was no champion" if champion is None else f"version {champion} was champion"
    return f"Version {version} {tell_decision(kept)}, {beside}: {'; '.join(kept['reasons'])}."


def _tables(kept: Mapping[str, Any]) -> Iterator[Table]:
    """What failed comes first."""
    checks = sorted(((verdict_of(each), each) for each in kept["checks"]), key=lambda each: _ORDER.index(each[0]))
    if checks:
        yield Table(("verdict", "asked", "found"), [(said, each["asked"], each["found"]) for said, each in checks])
    if stability := kept.get("stability"):
        found = {**stability_facts(stability), "rows": stability["rows"]}
        yield _named("scores beside the champion's", found)
    if comparison := kept.get("comparison"):
        yield _named("compared with the champion", dict(_compared(comparison)))
    if costs := kept.get("costs"):
        yield _cost_table([msgspec.convert(costs[name], GraphCost) for name in ("ours", "champion") if costs[name]])


def _cost_table(costs: Sequence[GraphCost]) -> Table:
    facts = [graph_facts(each) for each in costs]
    head = ("graph", *list(_OF_BOTH.values())[: len(facts)])
    return Table(head, [(name, *(shown(each[name]) for each in facts)) for name in facts[0]])


def _named(title: str, found: Mapping[str, Any]) -> Table:
    return Table((title, "found"), [(name, shown(value)) for name, value in found.items() if shown(value)])


def _compared(found: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from ((f"{found['metric']} of {who}", found[name]) for name, who in _OF_BOTH.items())
    yield "difference", found["difference"]
    if found["low"] is not None:
        yield "interval of the difference", f"{shown(found['low'])} to {shown(found['high'])}"
    yield "better in this share of resamples", found["better_share"]
    yield "entities", found["entities"]


def _row(change: RegistryChange) -> tuple[str, ...]:
    what = f"{change.action} {tell_move(change)}".strip()
    return f"{to_text(change.at_us)[:19]}Z", change.who, what, change.why
