import pytest

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
