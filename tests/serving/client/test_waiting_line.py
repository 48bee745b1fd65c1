"""Who waits sees what for: in one line that changes, or in a line for each change where nobody sees a terminal."""

import io

from serving.client.waiting_line import WaitingLine


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_on_a_terminal_one_line_changes_in_place_and_is_gone_at_the_end():
    out = Terminal()
    line = WaitingLine(out, 600)
    line.show("training the first model of churn, step fit")
    line.show("training the first model of churn, step certify, which compares very many rows")
    line.end()
    texts = out.getvalue().split("\r\x1b[2K")
    assert texts[1] == "\x1b[?7lwaiting, 0 of 600 s: training the first model of churn, step fit\x1b[?7h"
    assert texts[2].startswith("\x1b[?7lwaiting, 0 of 600 s: training the first model of churn, step certify")
    assert texts[3:] == [""]


def test_elsewhere_each_new_text_is_a_line():
    out = io.StringIO()
    line = WaitingLine(out, 60)
    for says in ("the stream job", "the stream job", "a first model"):
        line.show(says)
    line.end()
    assert out.getvalue() == "waiting, 0 of 60 s: the stream job\nwaiting, 0 of 60 s: a first model\n"
