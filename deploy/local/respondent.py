"""The part of the supervisor that answers `status`: it looks at the stream and the models when it is asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from deploy.local.parts.environment import named_models
from deploy.local.stack.answer import Answer
from deploy.local.stack.stack_directory import StackDirectory
from shared_features.counted import counted
from shared_features.definitions import Catalogue
from shared_features.formats.dataset_manifest import DatasetManifest
from shared_features.formats.model_manifest import CHAMPION, METRICS_FILE
from shared_features.kernel.event_time import to_text
from streaming.operations.status.answer import ScoresStatus, Status, status_json
from streaming.operations.status.observer import StatusObserver
from streaming.operations.status.rates import SINKS, lag
from streaming.settings import StreamingSettings
from training.models.task_rules import RULES
from training.registry.aliases import Aliases
from training.registry.model_card.data_tables import has_windows
from training.registry.versions import Registry


class Respondent:
    """`step` answers a question that came since the last. A look takes a moment, seconds if a server is unavailable."""

    def __init__(self, directory: StackDirectory, settings: StreamingSettings, catalogue: Catalogue) -> None:
        self._directory, self._catalogue = directory, catalogue
        self._observe: Callable[[], Status] = StatusObserver(settings).observe
        self._answered: str | None = None

    def step(self) -> None:
        asked = self._directory.asked()
        if asked is not None and asked != self._answered:
            self._answered = asked
            self.answer(asked)

    def answer(self, asked: str = "") -> None:
        """Look, and write what was seen."""
        seen = self._observe()
        models = answering_models(self._directory, self._catalogue)
        trained = trained_on(self._directory, models)
        answer = Answer(asked, dict(models), tuple(stream_lines(seen)), status_json(seen), trained)
        self._directory.write_answer(answer)


def trained_on(directory: StackDirectory, models: Mapping[str, int | None]) -> dict[str, str]:
    """View -> what the version that answers was trained on, and how good it was on its test rows."""
    registry, named = Registry(directory.registry), named_models(directory)
    called = {name: named.get(name, name) for name in models}
    found = {
        name: None if version is None else registry.dataset(called[name], version) for name, version in models.items()
    }
    return {
        name: f"{_learned(dataset)}{_measured(_metrics(registry, called[name], models[name]), dataset.task)}"
        for name, dataset in found.items()
        if dataset is not None
    }


def _learned(dataset: DatasetManifest) -> str:
    """Of rows that were divided by entity, for one, those to learn from and those of the test are of the same days."""
    split, (train, test) = dataset.split, (dataset.rows.train, dataset.rows.test)
    ends = (split.train_end_us, split.end_us) if has_windows(dataset) else ()
    learned, tested = (f" up to {to_text(each)}" for each in ends) if ends else ("", "")
    return f"trained on {counted(train.labelled, 'row')}{learned}, tested on {test.labelled:,}{tested}"


def _metrics(registry: Registry, model: str, version: int | None) -> dict[str, Any]:
    """The metrics that were published with a version; empty where there are none."""
    if version is None:
        return {}
    content = registry.find(model, version, METRICS_FILE)
    found: dict[str, Any] = json.loads(content) if content else {}
    return found


def _measured(metrics: Mapping[str, Any], task: str) -> str:
    return _how_good(metrics, task) + _never_seen(metrics)


def _how_good(metrics: Mapping[str, Any], task: str) -> str:
    """The metric that chose the candidate, then the one that has a floor: it says what chance would reach."""
    rules = RULES[task]
    ours = metrics.get("models", {}).get(metrics.get("chosen"), {})
    names = dict.fromkeys((metrics.get("chosen_by", rules.chosen_by), *rules.floors))
    said = [f"{name} {ours[name]:.3f}" for name in names if isinstance(ours.get(name), int | float)]
    return f": {', '.join(said)}" if said else ""


def _never_seen(metrics: Mapping[str, Any]) -> str:
    """The features without a value in the rows that the model learned from, on a line of its own; mostly empty."""
    if not (names := metrics.get("without_value")):
        return ""
    return (
        f"\n! without any value in the rows that the model learned from: {', '.join(names)}. Train again when there is "
        "history as long as their windows, or leave them out of the view"
    )


def answering_models(directory: StackDirectory, catalogue: Catalogue) -> Mapping[str, int | None]:
    """View -> the version of its model that answers."""
    aliases, named = Aliases(Registry(directory.registry)), named_models(directory)
    return {
        name: aliases.of(named.get(name, name)).get(CHAMPION)
        for name in sorted({view.name for view in catalogue.views})
    }


def stream_lines(seen: Status) -> list[str]:
    """Per source what came and how far behind each sink is; per group how fresh it is."""
    lines = [f"! {part}: {why}" for part, why in seen.away.items()]
    for source in seen.sources:
        lags = {sink: lag(source, sink) for sink in SINKS}
        behind = ", ".join(f"{sink} {number:,} behind" for sink, number in lags.items() if number) or "no lag"
        dead = f", {counted(source.dead_letters, 'dead letter')}" if source.dead_letters else ""
        late = _late(source.late or 0, source.late_counted)
        lines.append(f"source {source.source}: {counted(source.events or 0, 'event')}{late}{dead}; {behind}")
    events = {source.source: source.events or 0 for source in seen.sources}
    for group in seen.groups:
        rows = ", ".join(_rows(spine, count or 0, events.get(spine, 0)) for spine, count in group.feature_rows.items())
        fresh = "not live yet" if group.freshness_s is None else f"fresh to {group.freshness_s:.1f} s"
        lines.append(f"group {group.group}: {fresh}; {rows or 'no feature rows'}")
    return [*lines, *map(_scores, seen.scores)]


def _scores(scores: ScoresStatus) -> str:
    if scores.lag is None:
        return f"scores of view {scores.view}, topic {scores.topic}: none yet; they begin with the first model"
    behind = f"{counted(scores.lag, 'event')} without a score" if scores.lag else "no lag"
    return f"scores of view {scores.view}, topic {scores.topic}: {behind}"


def _late(late: int, counting: int | None) -> str:
    """counting: how many of the late events count; None where it is not known."""
    if not late:
        return ""
    said = f", {late:,} came late"
    if counting is None:
        return f"{said} (late events count, unless repeated or older than every window)"
    if counting == late:
        return f"{said} ({'it counts' if late == 1 else 'all count'})"
    left_out = "repeated, or older than every window"
    return f"{said} ({f'{counting:,} count' if counting != 1 else '1 counts'}, {late - counting:,} not: {left_out})"


def _rows(spine: str, rows: int, events: int) -> str:
    """The newest events have no row yet: the allowed lateness has not passed for them, by the times of the records."""
    more = "; those of the newest events follow when later records come" if rows < events else ""
    return f"{counted(rows, 'feature row')} on {spine}{more}"
