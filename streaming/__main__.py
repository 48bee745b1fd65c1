"""`python -m streaming run | status | check | bootstrap | ...`: wiring only."""

from __future__ import annotations

import importlib
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import PackageNotFoundError, version

from shared_features.closed_pipe import ends_with_its_reader
from shared_features.errors import MillraceError
from streaming.command_line import build_parser
from streaming.errors import EXIT_OK, EXIT_REFUSED, StreamingError
from streaming.job.child_process import end_with_parent, is_supervised, run_to_end
from streaming.job.programs import PROGRAMS, dataflow_parts, programs_of
from streaming.job.stopping import install, stop_requested
from streaming.job.supervisor import Supervisor
from streaming.log import get_log, set_up_log
from streaming.settings import StreamingSettings, load_settings, refuse_wrong_settings

_COMPUTES = "shared_features.formats.entity_state"
_STANDS_ON = ("bytewax", "confluent-kafka", "deltalake", "redis", "numba", "numpy")


@ends_with_its_reader
def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 done or drained, 1 refused or wrong, 75 if a single dataflow asks for a restart at once.

    141 if nobody reads what is printed any more.
    """
    options = build_parser().parse_args(arguments)
    try:
        if options.verb == "version":
            return _version()
        settings = load_settings()
        if options.verb == "run":
            return _run(settings, options.only, options.workers or 1, options.drain_seconds)
        refuse_wrong_settings(settings)
        if options.verb == "bootstrap":
            return _bootstrap(settings)
        if "module" in options:
            return _operate(settings, options)
        from streaming.operations.status.command import show_status

        return show_status(settings, as_json=options.json, watch=options.watch)
    except MillraceError as error:
        print(f"millrace: {error}", file=sys.stderr)
        return error.exit_code if isinstance(error, StreamingError) else EXIT_REFUSED
    except KeyboardInterrupt:
        return EXIT_OK if options.verb == "status" else 130


def _run(settings: StreamingSettings, only: str | None, workers: int, drain_s: float) -> int:
    install()
    end_with_parent()
    set_up_log(settings, dataflow=only) if only else set_up_log(settings)
    if only is not None and workers == 1:
        if not is_supervised():  # a supervisor has already checked, and a restart should be quick
            from streaming.operations.check.command import refuse_unsafe

            refuse_wrong_settings(settings)
            refuse_unsafe(settings)
        return _run_program(settings, only)
    # The supervisor stays small: a child that ends loads the clients of Kafka, Redis and the lake.
    refused = run_to_end((sys.executable, "-m", "streaming", "check", "--refusing-only"))
    if refused or stop_requested():
        return refused
    names = (only,) if only else programs_of(scores=bool(settings.score_topics))
    parts = dataflow_parts(names, workers=workers, metrics_port=settings.metrics_port)
    return Supervisor(parts, drain_s=drain_s).run()


def _run_program(settings: StreamingSettings, name: str) -> int:
    from streaming.online_store.told_waits import telling_waits

    run: Callable[..., int] = importlib.import_module(PROGRAMS[name]).run
    _compile_in_turn()
    keep_days = settings.events_kept_days
    if name == "archive" and keep_days is not None:
        from streaming.operations.retention.retain import retain_nightly

        run = partial(run, nightly=partial(retain_nightly, settings, keep_days))
    with telling_waits(settings, name):
        return run(settings)


def _bootstrap(settings: StreamingSettings) -> int:
    install()
    set_up_log(settings, dataflow="bootstrap")
    from streaming.bootstrap.process import bootstrap_once

    _compile_in_turn()
    return bootstrap_once(settings)


def _operate(settings: StreamingSettings, options: Namespace) -> int:
    set_up_log(settings, command=options.verb)
    verb = importlib.import_module(options.module)
    _compile_in_turn()
    code: int = verb.run(settings, options)
    return code


def _compile_in_turn() -> None:
    """Several processes that start at once would each compile the same. Of a verb that computes nothing none does."""
    if _COMPUTES in sys.modules:
        from shared_features.compilation.compilation import compile_in_turn

        compile_in_turn(get_log("kernel").info)


def _version() -> int:
    for name in ("millrace", *_STANDS_ON):
        try:
            print(name, version(name))
        except PackageNotFoundError:
            print(name, "not installed (it runs from its source tree)")
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
