"""First models: each view that can be trained gets one, once its labels are there. A schedule may replace this."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

from deploy.local.parts.left_alone import why_left_alone
from deploy.local.parts.programs import Program
from shared_features.counted import counted
from shared_features.definitions import Catalogue, FeatureView
from shared_features.errors import MillraceError
from shared_features.formats.model_manifest import CHAMPION
from shared_features.formats.offline_tables import events_table
from streaming.lake.look import LakeLook
from training.registry.aliases import Aliases
from training.registry.versions import Registry
from training.steps.doing_now import doing_now

_LOOK_EVERY_S = 3.0
_AGAIN_S = 300.0
_SETTLED, _QUIET_S = 1.02, 10.0
"""History that is still streaming in is waited for: a model of its first days would be champion for good. Rows and
labels may grow by so little in so long.
"""
_MORE = 1.2

Start = Callable[[Sequence[str]], Program]
Counts = tuple[int, int]
"""Feature rows and label events."""


class FirstModels:
    """`step` looks, starts a training run or notes its end, and never waits. One run at a time.

    runs: the folder of training runs. start: starts `python -m training` with these arguments. unrest: why the stream
    is not at rest, None if it is. named: view -> the model that answers for it, where that has another name.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        lake: Path,
        registry: Path,
        runs: Path,
        start: Start,
        unrest: Callable[[], str | None],
        named: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        views = {view.name: view for view in sorted(catalogue.views, key=lambda each: each.version)}
        self._views = [view for view in views.values() if view.labels is not None]
        self._lake, self._registry, self._start = LakeLook(lake), Registry(registry), start
        self._aliases, self._named = Aliases(self._registry), named
        self._trained: dict[tuple[str, int | None], int | None] = {}
        self._runs, self._unrest, self._why = runs, unrest, ""
        self._counts: dict[str, Counts] = {}
        self._quiet: dict[str, tuple[Counts, float]] = {}
        """Since when the counts are about these."""
        self._tried: dict[str, tuple[Counts, float, str]] = {}
        self._running: tuple[FeatureView, Program] | None = None
        self._looked_s = float("-inf")

    @property
    def program(self) -> Program | None:
        """The training run that is under way."""
        return None if self._running is None else self._running[1]

    def lacking(self) -> list[FeatureView]:
        """Views that could be trained, and have no model that answers."""
        return [each for each in self._views if not self._answers(each.name)]

    def _model(self, view: str) -> str:
        return self._named.get(view, view)

    def _asked(self, view: str) -> list[str]:
        """Which model a run is of."""
        model = self._model(view)
        return ["--view", view, *(["--model", model] if model != view else [])]

    def _left_alone(self, view: str) -> str:
        """Why a person is to say what answers, where the model has another name than the view; empty: it is trained."""
        model = self._model(view)
        return why_left_alone(self._registry, model) if model != view and view not in self._tried else ""

    def _answers(self, view: str) -> bool:
        return CHAMPION in self._aliases.of(self._model(view))

    def settled(self) -> str:
        """What there is to say when no view lacks a model: which view has none of its own version."""
        told = [
            f"{view.label} has no model yet, and one of v{trained} answers: "
            f"`millrace train {' '.join(self._asked(view.name))}`"
            for view in self._views
            if (trained := self._answers_for(view)) not in (None, view.version)
        ]
        return "; ".join(told) or "every view with labels has a model that answers"

    def _answers_for(self, view: FeatureView) -> int | None:
        """The version of the view that the champion was trained on. None: it cannot be read."""
        model = self._model(view.name)
        champion = model, self._aliases.of(model).get(CHAMPION)
        if champion not in self._trained:
            with suppress(MillraceError, OSError):
                name, version = champion
                self._trained[champion] = (
                    None if version is None else self._registry.manifest(name, version).view.version
                )
        return self._trained.get(champion)

    def step(self) -> str | None:
        """What is being done, or what is waited for. None when every view that can have a model has one."""
        if self._running is not None:
            view, program = self._running
            if program.exit_code is None:
                return f"{view.name}: its first model answers" if self._answers(view.name) else self._training(view)
            self._running = None
            why = self._published(view) if program.exit_code == 0 else self._refusal(view, program)
            self._tried[view.name] = (self._counts[view.name], time.monotonic(), why)
        lacking = self.lacking()
        if not lacking:
            return None
        if time.monotonic() - self._looked_s >= _LOOK_EVERY_S:
            self._looked_s = time.monotonic()
            for view in lacking:
                self._counts[view.name] = self._count(view)
                if not self._left_alone(view.name) and self._is_due(view, self._counts[view.name]):
                    self._running = view, self._start(["run", *self._asked(view.name)])
                    return self._training(view)
        return "; ".join(self._waits_for(view) for view in lacking)

    def _published(self, view: FeatureView) -> str:
        """Why a run that succeeded left no model that answers."""
        others = [name for name in self._registry.models() if self._is_champion_of(name, view)]
        if not others or self._registry.versions(self._model(view.name)):
            return (
                f"{self._model(view.name)} was published, and the gate did not let it answer. See `millrace registry "
                f"log {self._model(view.name)}`, and `millrace promote` it nevertheless if it shall answer"
            )
        choice = json.dumps({view.name: others[0]})
        return (
            f"{others[0]} was published, and answers for no view, because it is not called {self._model(view.name)}. "
            f"End the stack, set MILLRACE_ANSWERING_MODELS='{choice}' and start it again"
        )

    def _refusal(self, view: FeatureView, program: Program) -> str:
        """Why a run left no model, and what to do where it has no definition of the model that is to answer."""
        why, model = _refusal(program), self._model(view.name)
        if f"There is no model {model!r}" not in why:
            return why
        return (
            f"{why} MILLRACE_ANSWERING_MODELS says that {model} answers for {view.name}. Define it, as in "
            f"Model({model!r}, view={view.name!r}), and publish it with `millrace publish` if it is of an ONNX file; "
            "or end the stack, take it out of MILLRACE_ANSWERING_MODELS and start it again"
        )

    def _is_champion_of(self, model: str, view: FeatureView) -> bool:
        with suppress(MillraceError, OSError):  # it is another model, whose files may be of a later release
            version = self._aliases.of(model).get(CHAMPION)
            return version is not None and self._registry.manifest(model, version).view.name == view.name
        return False

    def _training(self, view: FeatureView) -> str:
        now_us = time.time_ns() // 1000
        doing = [each.describe(now_us) for each in doing_now(self._runs / view.name)]
        return ", ".join([f"training the first model of {view.name}", *doing])

    def _count(self, view: FeatureView) -> Counts:
        rows = [self._lake.feature_rows(group, view.source) for group in view.groups]
        labels = sum(self._events(name) for name in {events_table(each.source) for each in view.label_sources})
        return min(rows, default=self._events(events_table(view.source))), labels

    def _events(self, name: str) -> int:
        table = self._lake.table(name)
        return 0 if table is None else int(table.count())

    def _is_due(self, view: FeatureView, now: Counts) -> bool:
        if not self._has_settled(view, now):
            return False
        if view.name not in self._tried:
            return True
        tried, at_s, _ = self._tried[view.name]
        grown = now != tried
        much = any(new >= old * _MORE for new, old in zip(now, tried, strict=True))
        return much or (grown and time.monotonic() - at_s >= _AGAIN_S)

    def _has_settled(self, view: FeatureView, now: Counts) -> bool:
        self._why = ""
        before, since_s = self._quiet.get(view.name, ((0, 0), 0.0))
        if any(new > old * _SETTLED for new, old in zip(now, before, strict=True)):
            self._quiet[view.name] = now, time.monotonic()
            return False
        if not all(now) or time.monotonic() - since_s < _QUIET_S:
            return False
        self._why = self._unrest() or ""
        if self._why:
            self._quiet[view.name] = now, time.monotonic()
        return not self._why

    def _waits_for(self, view: FeatureView) -> str:
        if view.name in self._tried:
            return f"{view.name}: {self._tried[view.name][2]}"
        if why := self._left_alone(view.name):
            return f"{view.name}: {why}"
        rows, labels = self._counts.get(view.name, (0, 0))
        if not rows:
            return f"{view.name}: waiting for events of {view.source.name}"
        if not labels:
            sources = " or ".join(dict.fromkeys(each.source.name for each in view.label_sources))
            return f"{view.name}: waiting for labels, events of {sources} ({counted(rows, 'feature row')} so far)"
        why = f": {self._why}" if self._why else ""
        return (
            f"{view.name}: waiting until what streams in has settled ({counted(rows, 'feature row')}, "
            f"{counted(labels, 'label event')}){why}"
        )


def _refusal(program: Program) -> str:
    """Why a run left no model, in its own words."""
    lines = [line.strip() for line in program.log.read_text(errors="replace").splitlines() if line.strip()]
    refusal = next((line for line in reversed(lines) if line.startswith("training: ")), lines[-1] if lines else "")
    return f"not yet: {refusal.removeprefix('training: ')}"
