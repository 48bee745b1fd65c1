from __future__ import annotations

import io

from training.inference.shown_progress import ShownProgress


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_has_one_line_that_changes() -> None:
    times, stream = iter([0.0, 2.0, 4.0]), _Terminal()
    shown = ShownProgress(stream, lambda: next(times))
    shown("predicted 1,000 rows", 1_000, 2_000)
    shown("predicted 2,000 rows", 2_000, 2_000)
    shown.end()
    first, second = stream.getvalue().removeprefix("\r").removesuffix("\n").split("\r")
    assert first == "predicted 1,000 rows of 2,000, 500 rows/s, 2 seconds left"
    assert second.rstrip() == "predicted 2,000 rows of 2,000, 500 rows/s"
    assert len(second) == len(first), "nothing of the longer line stays"


def test_a_log_has_a_line_every_ten_seconds() -> None:
    times, stream = iter([0.0, 2.0, 11.0, 12.0]), io.StringIO()
    shown = ShownProgress(stream, lambda: next(times))
    for part in (1, 2, 3):
        shown(f"predicted {part} rows", part, 9)
    shown.end()
    assert stream.getvalue() == "predicted 2 rows of 9, 0 rows/s, 38 seconds left\n"
