"""The bar of a cell in a real kernel, the line of a console, and the silence of a script."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from training.notebook.shown_work import Bar, OnConsole, ShownWork, shown_work

CELL = """
from training.notebook.shown_work import shown_work
with shown_work() as tell:
    tell("reading <labels>")
    tell("replaying", 2, 4)
    print("a line of the cell")
"""


def test_a_console_has_one_line_that_changes_and_says_how_long_it_took() -> None:
    stream, times = io.StringIO(), iter([0.0, 1.0, 2.5, 4.0])
    work = ShownWork(OnConsole(stream), lambda: next(times))
    work("reading labels and events")
    work("replaying", 3, 4)
    work.end(is_done=True)
    first, second, last = stream.getvalue().removeprefix("\r").removesuffix("\n").split("\r")
    assert first == f"[{' ' * 24}] reading labels and events, 1.0 s"
    assert second.rstrip() == f"[{'#' * 12}{' ' * 12}] replaying (3 of 4), 2.5 s"
    assert last.rstrip() == "done in 4.0 s"
    assert len(last) >= len(second.rstrip()), "nothing of the longer line stays"


def test_an_error_leaves_what_was_done_when_it_came() -> None:
    stream = io.StringIO()

    def fail() -> None:
        with shown_work(OnConsole(stream)) as tell:
            tell("replaying")
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()
    last = stream.getvalue().rpartition("\r")[2].rstrip()
    assert last.startswith("ended after ")
    assert last.endswith(": replaying")


def test_no_text_becomes_html_of_its_own() -> None:
    html = Bar("reading <b>", 0.5, is_last=False)._repr_html_()
    assert "&lt;b&gt;" in html
    assert 'value="0.500"' in html


def test_nothing_is_shown_where_nobody_wants_it() -> None:
    stream = io.StringIO()
    with shown_work(OnConsole(stream), is_shown=False) as tell:
        tell("replaying")
    assert not stream.getvalue()


def test_a_script_shows_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", CELL], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("a line of the cell\n", "")


@pytest.mark.deep
def test_a_jupyter_kernel_shows_one_bar_under_the_cell_and_changes_it_in_place() -> None:
    with kernel() as client:
        found = messages(client, CELL)
    shown = [each["content"] for each in found if each["msg_type"].endswith("display_data")]
    bars = [each["data"]["text/html"] for each in shown]
    assert len({each["transient"]["display_id"] for each in shown}) == 1
    assert [each["msg_type"] for each in found if each["msg_type"].endswith("display_data")] == [
        "display_data", "update_display_data", "update_display_data"
    ]  # fmt: skip
    assert "<progress" in bars[0]
    assert "reading &lt;labels&gt;" in bars[0]
    assert 'value="0.250"' in bars[1]
    assert "done in " in bars[2]
    assert "<progress" not in bars[2]
    assert [each["content"]["text"] for each in found if each["msg_type"] == "stream"] == ["a line of the cell\n"]


@contextmanager
def kernel() -> Iterator[Any]:
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name="python3", startup_timeout=120)
    try:
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def messages(client: Any, cell: str) -> list[dict[str, Any]]:
    """What the kernel says of a cell, until it is idle again."""
    asked, found = client.execute(cell), []
    while True:
        message = client.get_iopub_msg(timeout=120)
        if message["parent_header"].get("msg_id") != asked:
            continue
        assert message["msg_type"] != "error", message["content"]
        found.append(message)
        if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
            return found
