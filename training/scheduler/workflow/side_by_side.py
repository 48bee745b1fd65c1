"""Steps side by side: each begins when those that it waits for have ended, and a few are done at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from graphlib import TopologicalSorter


def side_by_side(waits: Mapping[str, Sequence[str]], do: Callable[[str], object], at_once: int) -> None:
    """Do all steps, each in a thread that knows the workflow of this one. waits: step -> the steps before it.

    Where one fails, those that are being done end, and no other begins. Then its error is raised; of several the first,
    but what ends the workflow itself before all of them.
    """
    sorter, place = TopologicalSorter(waits), {name: at for at, name in enumerate(waits)}
    sorter.prepare()
    ready, doing, failures = list[str](), dict[Future[object], str](), list[BaseException]()
    with ThreadPoolExecutor(at_once, thread_name_prefix="step") as threads:
        while True:
            if not failures:
                ready = sorted([*ready, *sorter.get_ready()], key=place.__getitem__)
                while ready and len(doing) < at_once:
                    name = ready.pop(0)
                    doing[threads.submit(copy_context().run, do, name)] = name
            if not doing:
                break
            for each in wait(doing, return_when=FIRST_COMPLETED).done:
                name, failure = doing.pop(each), each.exception()
                if failure is None:
                    sorter.done(name)
                else:
                    failures.append(failure)
    for failure in sorted(failures, key=lambda each: isinstance(each, Exception)):
        raise failure
