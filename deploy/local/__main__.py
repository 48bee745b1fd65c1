"""`python -m deploy.local up | down | status`: wiring only."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from deploy.local.interruption import Interruption, interruptible
from deploy.local.options import parse_options


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0, 1 after an error, 128 + the signal's number when it was asked to end, 141 without a reader."""
    options = parse_options(arguments)
    return interruptible(lambda interruption: _do(options, interruption))


def _do(options: argparse.Namespace, interruption: Interruption) -> int:
    # Loaded only now: a Ctrl-C while the libraries load ends as quietly as any other.
    from confluent_kafka import KafkaException

    from deploy.embedded.errors import EmbeddedError
    from deploy.local.errors import LocalError
    from deploy.local.stack_directory import StackDirectory
    from shared_features.errors import FeatureError

    try:
        if options.verb == "up":
            from deploy.local.up import bring_up

            return bring_up(options, interruption)
        if options.verb == "down":
            from deploy.local.down import bring_down

            return bring_down(StackDirectory(options.directory))
        from deploy.local.status import show_status

        return show_status(StackDirectory(options.directory), as_json=options.json)
    except (LocalError, EmbeddedError, KafkaException, FeatureError) as error:
        print(f"millrace {options.verb}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
