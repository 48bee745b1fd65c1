"""What a person sees while a stack starts."""

import pytest

from deploy.local.commands.screen import Screen
from deploy.local.stack.standing import Part

AT_US = 1_800_000_000_000_000


def show(screen):
    with screen:
        screen.told(Part("stream job", "starting", "loading", AT_US))
        for _ in range(2):
            screen.told(Part("stream job", "up", "4 shards live", AT_US))
        screen.told(Part("redis", "up", "redis-server", AT_US, address="redis://127.0.0.1:7"))
        screen.settle()
        screen.told(Part("redis", "failed", "it ended", AT_US))


def test_elsewhere_each_change_is_a_line_and_nothing_is_drawn(capsys):
    show(Screen(on_screen=False))
    assert capsys.readouterr().out.splitlines() == [
        "stream job  starting loading",
        "stream job  up       4 shards live",
        "     redis  up       redis-server redis://127.0.0.1:7",
        "     redis  failed   it ended",
    ]


@pytest.fixture
def a_screen(monkeypatch):
    for name, value in {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": "120"}.items():
        monkeypatch.setenv(name, value)


def test_on_a_screen_a_part_keeps_its_line_until_everything_is_up(a_screen, capsys):
    show(Screen(on_screen=True))
    said = capsys.readouterr().out
    last_drawn, _, after = said.rpartition("redis-server")
    assert "\x1b[2K" in last_drawn or "\x1b[1A" in last_drawn, "drawn again in place"
    assert "\x1b[32m" in said, "green: it is up"
    assert "\x1b[1;31m" in after, "red: it ended"
    assert "it ended" in after.splitlines()[-1]
