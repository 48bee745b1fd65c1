"""A dataflow that stops says why: a restart that repairs is no error."""

from types import SimpleNamespace

import pytest

from shared_features import DefinitionError
from streaming.errors import EXIT_REFUSED, EXIT_RESTART, RefusedError, RestartNeeded
from streaming.job import bytewax_run
from streaming.settings import load_settings


@pytest.mark.parametrize(
    ("error", "level", "exit_code"),
    [
        (RestartNeeded("shard a:0 was built and is live; restarting to take it in"), "info", EXIT_RESTART),
        (RefusedError("the topic has another mode"), "error", EXIT_REFUSED),
        (DefinitionError("a definition holds a set; write a tuple"), "error", EXIT_REFUSED),
    ],
)
def test_a_restart_is_told_as_news_and_a_refusal_as_an_error(monkeypatch, error, level, exit_code):
    told = []

    def build(_):
        raise error

    log = SimpleNamespace(
        info=lambda *what, **facts: told.append(("info", facts)),
        error=lambda *what, **facts: told.append(("error", facts)),
    )
    monkeypatch.setattr(bytewax_run, "_LOG", log)
    assert bytewax_run.run_dataflow(load_settings(definitions="tests.domains.machines"), build) == exit_code
    assert told == [(level, {"reason": str(error), "exit_code": exit_code})]
