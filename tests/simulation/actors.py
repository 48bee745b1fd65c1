"""Who is at work in a world: of each process the one that runs, a second one and a zombie too."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from streaming.errors import RestartNeeded
from tests.simulation.chances import Chances
from tests.simulation.scheduler import Actor

_POINTS_TO_SETTLE = 20_000
_TRIES_TO_SETTLE, _RESTS_TO_SETTLE = 12, 20


class Actors:
    """The running processes of one world. makers: what each process does, by its name."""

    def __init__(self, makers: Mapping[str, Callable[[], Callable[[], None]]], chances: Chances) -> None:
        self._makers, self._chances = makers, chances
        self.names = tuple(makers)
        self._running: dict[str, list[Actor]] = {name: [] for name in makers}

    def of(self, name: str) -> list[Actor]:
        """Those that run of one process, the newest last."""
        return self._running[name]

    def kill_some(self) -> None:
        """About half of all that run."""
        for name, actors in self._running.items():
            for actor in [*actors]:
                if self._chances.random.random() < 0.5:
                    self.kill(name, actor)

    def end(self) -> None:
        """End all of them: the world is over."""
        for actors in self._running.values():
            for actor in actors:
                actor.kill()

    def run_on(self, name: str, points: int) -> None:
        r, actors = self._chances.random, self._running[name]
        if not actors:
            self.start(name)
        actor = actors[-1] if r.random() < 0.75 else r.choice(actors)
        actor.step(points)
        if not actor.alive:
            self._bury(name, actor)

    def start(self, name: str) -> None:
        actors = self._running[name]
        while len(actors) > 2:
            actors.pop(0).kill()
        actors.append(Actor(name, self._makers[name]()))

    def kill(self, name: str, actor: Actor) -> None:
        actor.kill()
        self._running[name].remove(actor)
        self._chances.count(f"killed: {name}")

    def _bury(self, name: str, actor: Actor) -> None:
        self._running[name].remove(actor)
        if isinstance(actor.ended_by, RestartNeeded):
            self._chances.count(f"restart needed: {name}")
        elif actor.ended_by is not None:
            kind = type(actor.ended_by).__name__
            if kind not in ("OSError", "CommitFailedError"):
                raise actor.ended_by
            self._chances.count(f"ended by {kind}: {name}")

    def finish(self, name: str) -> bool:
        for _ in range(_TRIES_TO_SETTLE):
            actors = self._running[name]
            actor = actors.pop(0) if actors else Actor(name, self._makers[name]())
            for _ in range(_RESTS_TO_SETTLE):
                actor.step(_POINTS_TO_SETTLE)
            if actor.alive:
                actor.kill()
                return False
            if actor.ended_by is None:
                if not actors:
                    return True
            elif not isinstance(actor.ended_by, RestartNeeded | OSError):
                raise actor.ended_by
        return False
