"""`keys new | list | remove`: what a person does with the file of API keys, which services name by their setting."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from shared_features.access.api_keys import PREDICT, SCOPES, ApiKey, digest_of, new_key
from shared_features.access.key_file import add_key, read_keys, remove_key
from shared_features.errors import KeyFileError


def key_options(arguments: Sequence[str], program: str) -> argparse.Namespace:
    """What was asked for, on a command line of its own."""
    parser = argparse.ArgumentParser(prog=program, description="Make, list and withdraw API keys: who may ask.")
    add_key_options(parser)
    return parser.parse_args(arguments)


def add_key_options(parser: argparse.ArgumentParser) -> None:
    """The options of `keys`."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    new = verbs.add_parser("new", help="make a key; it is shown once")
    new.add_argument("name", metavar="NAME", help="whose key it is; the prediction log calls the caller so")
    new.add_argument(
        "--scope",
        action="append",
        type=lambda text: text.split(","),
        metavar="SCOPE",
        help=f"may be given several times ({PREDICT}). "
        + "; ".join(f"{name}: {what}" for name, what in SCOPES.items()),
    )
    for what in ("requests", "rows"):
        new.add_argument(f"--{what}-per-s", type=float, metavar="N", help=f"most {what} a second, of each process")
    verbs.add_parser("list", help="show the names, scopes and limits of all keys")
    verbs.add_parser("remove", help="withdraw a key").add_argument("name", metavar="NAME")


def do_with_keys(options: argparse.Namespace, file: Path | None) -> int:
    """Do what was asked. file: as the setting has it. The exit code. Raises KeyFileError."""
    if file is None:
        raise KeyFileError("There is no file for API keys. Set MILLRACE_API_KEYS_FILE, for the service too.")
    if options.verb == "new":
        key = new_key()
        scopes = frozenset(scope.strip() for each in options.scope or [[PREDICT]] for scope in each)
        made = ApiKey(options.name, scopes, digest_of(key.encode()), options.requests_per_s, options.rows_per_s)
        add_key(file, made)
        sys.stderr.write(f"key {made.name} in {file}, shown this once:\n")
        sys.stdout.write(f"{key}\n")
    elif options.verb == "remove":
        remove_key(file, options.name)
        sys.stderr.write(f"key {options.name} was withdrawn; services notice within a second or two\n")
    else:
        for each in read_keys(file):
            name, may, _, *limits = each.line.split()
            sys.stdout.write(f"{name:20} {may:20} {' '.join(limits)}".rstrip() + "\n")
    return 0
