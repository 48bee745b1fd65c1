from training.__main__ import main


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
