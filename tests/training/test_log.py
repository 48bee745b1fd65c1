"""A log on a full disk loses lines, and ends nothing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import structlog

from tests.full_disk import files_end_at
from training.__main__ import main
from training.log import configure_log
from training.settings import load_settings


def test_a_line_without_room_ends_nothing_and_later_ones_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request that could not be logged was answered by 500 in place of what to do."""
    before = structlog.get_config()
    with (tmp_path / "log").open("w", buffering=1) as file:
        monkeypatch.setattr(sys, "stderr", file)
        configure_log(load_settings())
        log = structlog.get_logger()
        with files_end_at(0):
            log.info("no room")
        log.info("room")
    structlog.configure(**before)
    assert '"event": "room"' in (tmp_path / "log").read_text()


@pytest.mark.parametrize(
    ("command", "form", "is_json"), [("run", "auto", False), ("run", "json", True), ("dataset", "auto", True)]
)
def test_a_training_run_in_a_pipe_logs_for_a_person_unless_the_setting_says_json(
    command: str, form: str, is_json: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`millrace train | tee` printed 30 lines of JSON between its own."""
    before = structlog.get_config()
    monkeypatch.setenv("MILLRACE_LOG_FORMAT", form)
    with (tmp_path / "log").open("w", buffering=1) as file:
        monkeypatch.setattr(sys, "stderr", file)
        assert main([command, "--view", "nothing"]) == 1
        structlog.get_logger().info("seen")
    structlog.configure(**before)
    assert ('"event": "seen"' in (tmp_path / "log").read_text()) == is_json
