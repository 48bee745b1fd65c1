"""`./run demo`: from events to predictions on this machine, then a summary. `--help` shows what it can be asked."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from deploy.local.stack.interruption import Interrupted, Interruption, interruptible
from shared_features.settings.setting_names import PREFIX

_WEBHOOK = f"{PREFIX}RUNS_WEBHOOK"
"""Where news of its retrainings go, if somebody wants to see them."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0, 1 after an error, 128 + signal's number when it was asked to end before its end.

    141 if nobody reads what is printed any more.
    """
    return interruptible(lambda interruption: _run(arguments, interruption))


def _run(arguments: Sequence[str] | None, interruption: Interruption) -> int:
    # Loaded only now: a Ctrl-C while the libraries load ends as quietly as any other.
    from contextlib import ExitStack

    from confluent_kafka import KafkaException

    from deploy.demo.options import parse_options
    from deploy.demo.report.screen import Screen
    from shared_features.errors import MillraceError

    options = parse_options(arguments)
    from deploy.demo.story import Story

    for name in [each for each in os.environ if each.startswith(PREFIX) and each != _WEBHOOK]:
        del os.environ[name]  # the demo chooses every setting itself, whatever a real installation has set here
    screen = Screen()
    try:
        with ExitStack() as exits:
            exits.callback(lambda: screen.line("cleaning up ..."))
            Story(options, screen, interruption, exits).tell()
    except (MillraceError, KafkaException) as error:
        print(f"\nmillrace demo: {error}", file=sys.stderr)
        return 1
    except Interrupted as asked:
        print(f"\nended by {asked}; nothing was left running", file=sys.stderr)
        return asked.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
