"""`python -m deploy.project new NAME`: wiring only."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence

from deploy.project.options import parse_options
from shared_features.closed_pipe import ends_with_its_reader
from shared_features.errors import MillraceError


def _lines(options: Namespace) -> list[str]:
    from deploy.project.project import write_project  # only now: --help does not wait for what reads files

    return write_project(options.name, options.file, options.directory, options.encoding, options.topic, options.wishes)


@ends_with_its_reader
def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0, or 1 where the project was not written."""
    options = parse_options(arguments)
    try:
        for line in _lines(options):
            print(line)
    except (MillraceError, OSError) as error:
        print(f"millrace {options.verb}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
