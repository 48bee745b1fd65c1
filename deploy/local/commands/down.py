"""`down`: ends every process of a stack by its id, and no other."""

from __future__ import annotations

from deploy.local.errors import LocalError
from deploy.local.stack.processes import end, is_running, started
from deploy.local.stack.stack_directory import StackDirectory

_END_WITHIN_S = 120.0
_LEFT_OVER_S = 10.0


def bring_down(directory: StackDirectory) -> int:
    """The exit code: 0, also if nothing ran. Raises LocalError where no stack was ever begun."""
    if not directory.is_there:
        raise LocalError(f"There is no stack in {directory.path}. Give its --directory.")
    supervisor = directory.supervisor()
    killed = False
    if supervisor is not None:
        since = started(supervisor)
        print(f"ending the stack in {directory.path} (supervisor {supervisor}) ...", flush=True)
        killed = end(supervisor, since, grace_s=_END_WITHIN_S)
    standing = directory.standing()
    left = [each for each in (standing.parts if standing else ()) if each.pid and is_running(each.pid, each.started)]
    for part in left:  # where the kernel does not end children with their parent, a killed supervisor leaves some
        if part.pid is not None:
            end(part.pid, part.started, grace_s=_LEFT_OVER_S)
            print(f"ended {part.name} (process {part.pid}), which was left over")
    if supervisor is None and not left:
        print(f"the stack in {directory.path} does not run; nothing to end")
        return 0
    how = f"killed after {_END_WITHIN_S:.0f} s" if killed else "everything ended in order"
    print(f"{how}; the data stay in {directory.path}")
    return 0
