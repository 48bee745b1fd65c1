"""`python -m deploy.local up | down | status | predict`: wiring only."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from deploy.local.commands.options import parse_options
from deploy.local.errors import LocalError
from deploy.local.stack.interruption import Interruption, interruptible
from shared_features.errors import MillraceError

if TYPE_CHECKING:
    from deploy.local.stack.stack_directory import StackDirectory


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0, 1 after an error, 128 + the signal's number when it was asked to end, 141 without a reader."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given[:1] == ["predict"]:
        return _predict(given[1:])
    options = parse_options(given)
    return interruptible(lambda interruption: _do(options, interruption))


def _do(options: argparse.Namespace, interruption: Interruption) -> int:
    # Loaded only now: a Ctrl-C while the libraries load ends as quietly as any other. `down` and `status` load few.
    try:
        if options.verb == "up":
            return _up(options, interruption)
        from deploy.local.stack.stack_directory import StackDirectory

        directory = StackDirectory(options.directory)
        if options.verb == "down":
            from deploy.local.commands.down import bring_down

            return bring_down(directory)
        if options.watch:
            return _watch(directory, options)
        from deploy.local.commands.status import show_status

        return show_status(directory, as_json=options.json)
    except MillraceError as error:
        print(f"millrace {options.verb}: {error}", file=sys.stderr)
        return 1


def _up(options: argparse.Namespace, interruption: Interruption) -> int:
    from confluent_kafka import KafkaException

    from deploy.local.commands.up import bring_up

    try:
        return bring_up(options, interruption)
    except KafkaException as error:
        raise LocalError(str(error)) from error


def _predict(arguments: Sequence[str]) -> int:
    """The command of serving, which is told what the stack waits for."""
    from deploy.local.commands.stack_wait import stack_waits_for
    from serving.client.predict_command import run

    return interruptible(lambda interruption: run(arguments, stack_waits_for))


def _watch(directory: StackDirectory, options: argparse.Namespace) -> int:
    if options.json or not sys.stdout.isatty():
        from deploy.local.commands.watch import repeat_status

        return repeat_status(directory, as_json=options.json)
    from deploy.local.commands.watch import watch_status

    return watch_status(directory)


if __name__ == "__main__":
    sys.exit(main())
