"""`status --watch`: the live page of a stack: its parts, then the stream, drawn again every two seconds."""

from __future__ import annotations

import sys

from rich.console import Group, RenderableType
from rich.text import Text

from deploy.local.commands.lines import Folded, parts_table
from deploy.local.commands.status import begun, headline, model_lines, show_status, stands_now
from deploy.local.parts.environment import find_definitions, settings_of, stack_settings
from deploy.local.respondent import answering_models, trained_on
from deploy.local.stack.stack_directory import Remembered, StackDirectory
from shared_features.definitions import Catalogue, load_definitions
from streaming.job.clock import system_clock_us
from streaming.job.stopping import install, stop_requested, wait
from streaming.operations.status.colours import BROKEN, UNKNOWN
from streaming.operations.status.observer import StatusObserver
from streaming.operations.status.page import StatusPages
from streaming.operations.status.watch import EVERY_S, watch_page


def watch_status(directory: StackDirectory) -> int:
    """Until Ctrl-C, also while the stack does not run. Raises LocalError where none was begun."""
    remembered = begun(directory)
    find_definitions(remembered.import_path)
    install()
    watch_page(StackPages(directory, load_definitions(remembered.definitions)).next, "millrace")
    return 0


def repeat_status(directory: StackDirectory, *, as_json: bool) -> int:
    """Where nobody sees a page: lines, or a line of JSON, every time. The exit code of the last look."""
    install()
    while True:
        code = show_status(directory, as_json=as_json)
        sys.stdout.flush()
        if stop_requested() or wait(EVERY_S):
            return code


class StackPages:
    """Pages of one look after the other. The stream is looked at by what the stack remembers at that moment."""

    def __init__(self, directory: StackDirectory, catalogue: Catalogue) -> None:
        self._directory, self._catalogue = directory, catalogue
        self._of: Remembered | None = None
        self._stream: StatusPages | None = None

    def next(self) -> tuple[int, RenderableType]:
        """Look. The instant of the look, and its page."""
        remembered = begun(self._directory)
        running, standing = stands_now(self._directory)
        parts: list[RenderableType] = [
            Folded(headline(self._directory, remembered, standing, running)),
            Text(),
            parts_table(standing.parts),
        ]
        if standing.error:
            parts.append(Folded(standing.error, BROKEN))
        at_us = system_clock_us()
        if running and standing.phase in ("ready", "stopping"):
            at_us, page = self._pages(remembered).next()
            parts.append(page)
        elif not running:
            parts.append(Text("\n`up` starts it again; the data are there.", style=UNKNOWN))
        answering = dict(answering_models(self._directory, self._catalogue))
        models = model_lines(answering, trained_on(self._directory, answering))
        return at_us, Group(*parts, Text(), *map(Folded, models))

    def _pages(self, remembered: Remembered) -> StatusPages:
        if self._stream is None or remembered != self._of:  # another `up` may have taken other ports
            settings = settings_of(stack_settings(self._directory, remembered, "embedded"))
            self._of, self._stream = remembered, StatusPages(StatusObserver(settings).observe)
        return self._stream
