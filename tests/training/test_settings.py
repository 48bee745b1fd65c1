from datetime import timedelta

import pytest

from streaming.settings import load_settings as streaming_settings
from training.__main__ import main
from training.errors import TrainingError
from training.settings import load_settings


def test_settings_come_from_a_file_too_and_the_environment_wins(places, capsys, monkeypatch):
    file = places / "millrace.toml"
    file.write_text(f'registry = "{places / "elsewhere"}"\nkafka_bootstrap_servers = "of another program"\n')
    monkeypatch.setenv("MILLRACE_SETTINGS", str(file))
    monkeypatch.delenv("MILLRACE_REGISTRY")
    assert main(["models"]) == 0
    assert "elsewhere" in capsys.readouterr().out
    monkeypatch.setenv("MILLRACE_SETTINGS", str(places / "nowhere.toml"))
    assert main(["models"]) == 1
    assert "nowhere.toml" in capsys.readouterr().err


def test_a_misspelt_setting_is_named_with_the_nearest(monkeypatch):
    monkeypatch.setenv("MILLRACE_TRAINING_RUN", "elsewhere")
    with pytest.raises(TrainingError, match=r"MILLRACE_TRAINING_RUN is not a setting\. Did you mean .*TRAINING_RUNS\?"):
        load_settings()


def test_a_file_that_is_no_toml_is_refused_with_where_to_correct_it(tmp_path, monkeypatch, capsys):
    """It ended in a traceback."""
    file = tmp_path / "millrace.toml"
    file.write_text("registry = [")
    monkeypatch.setenv("MILLRACE_SETTINGS", str(file))
    assert main(["models"]) == 1
    assert "The settings cannot be read: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "lateness"),
    [
        ("90", timedelta(seconds=90)),
        ("0.5", timedelta(seconds=0.5)),
        ("PT10M", timedelta(minutes=10)),
        ("01:30:00", timedelta(minutes=90)),
    ],
)
def test_training_and_streaming_read_one_length_of_time_alike(text, lateness, monkeypatch):
    """Both read it from one variable: training waits for the rows that materialize adds late."""
    monkeypatch.setenv("MILLRACE_ALLOWED_LATENESS", text)
    assert load_settings().allowed_lateness == streaming_settings().allowed_lateness == lateness
