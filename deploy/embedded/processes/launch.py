"""Become a command that cannot outlive its parent: `python -I -S launch.py PARENT_PID COMMAND ...`.

The kernel is asked (PR_SET_PDEATHSIG) to kill this process when its parent ends, then the command takes
its place; the request survives `exec`. Asking here, and not in a `preexec_fn`, keeps Python code out of
the moment between fork and exec, which is unsafe in a parent with threads.
Outside Linux there is no such request: there the command ends with `BackgroundProcess.stop` or at exit.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # The parent may have ended before the kernel was asked; then nobody would ever end this process.
    if os.getppid() != parent:
        sys.exit(1)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
