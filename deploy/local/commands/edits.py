"""The edits of a module of definitions: what `up` says of them, while the stack runs and before it starts."""

from __future__ import annotations

from deploy.local.errors import LocalError
from deploy.local.parts.environment import find_definitions
from deploy.local.stack.stack_directory import Remembered, StackDirectory
from shared_features.definitions import Catalogue, load_definitions
from shared_features.errors import FeatureError
from streaming.operations.check.kept_definitions import Changes, KeptDefinitions


def say_edits(directory: StackDirectory, remembered: Remembered, catalogue: Catalogue, *, aloud: bool) -> None:
    """Before a start: what is done about edits since the last `up`. Raises LocalError for those that cannot work."""
    changes = _changes(directory, catalogue)
    if changes.refused:
        raise LocalError(
            f"{remembered.definitions} was edited since the last `up`, and the data in {directory.path} do not fit:\n"
            f"{_lines(changes.refused)}\nOr undo the edit, or give another --directory, which begins with empty stores."
        )
    if changes.taken and aloud:
        print(f"{remembered.definitions} was edited since the last `up`:\n{_lines(changes.taken)}", flush=True)


def say_edits_of_running(directory: StackDirectory, remembered: Remembered) -> bool:
    """While it runs, with the definitions of its start. False for an edit that the next `up` refuses."""
    standing = directory.standing()
    if standing is None or standing.phase != "ready":
        return True
    module = remembered.definitions
    find_definitions(remembered.import_path)
    try:
        changes = _changes(directory, load_definitions(module))
    except FeatureError as error:
        print(f"\n{module} was edited since, and cannot be loaded now: {error}\nThe stack continues as it started.")
        return False
    if changes:
        print(f"\n{module} was edited since; the stack continues as it started. The next `down` and `up`:")
        print(_lines((*(f"! refused: {each}" for each in changes.refused), *changes.taken)))
    return not changes.refused


def _changes(directory: StackDirectory, catalogue: Catalogue) -> Changes:
    try:
        kept = directory.kept_definitions(KeptDefinitions)
    except LocalError:  # of another release: the stream job compares what it finds in the stores
        kept = None
    return Changes((), ()) if kept is None else kept.changes(catalogue)


def _lines(sentences: tuple[str, ...]) -> str:
    return "\n".join(f"  {each}" for each in sentences)
