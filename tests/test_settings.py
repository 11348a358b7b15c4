"""Settings: flag before environment before file before default."""

from __future__ import annotations

from pathlib import Path

import pytest

from provrepo.errors import SettingsError
from provrepo.settings import Settings, environment_name, load


def test_flag_before_environment_before_file_before_default(tmp_path: Path) -> None:
    file = tmp_path / "provrepo.toml"
    file.write_text('port = 1\nthreads = 2\nhost = "::1"\n')
    environment = {"PROVREPO_PORT": "3", "PROVREPO_HOST": "127.0.0.2"}
    settings = load({"port": 5, "host": None}, environment=environment, file=file)
    assert (settings.port, settings.host, settings.threads) == (5, "127.0.0.2", 2)
    assert settings.query_timeout == Settings().query_timeout


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("prot = 1", "no setting is called 'prot'"),
        ("port = 'x'", "port in .*'x' is not a whole number"),
        ("query_timeout = -1", "negative"),
        ("port = ", "cannot read"),
    ],
)
def test_a_file_that_makes_no_sense(tmp_path: Path, written: str, said: str) -> None:
    file = tmp_path / "provrepo.toml"
    file.write_text(written)
    with pytest.raises(SettingsError, match=said):
        load(environment={}, file=file)


def test_an_environment_that_makes_no_sense(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="PROVREPO_THREADS"):
        load(environment={"PROVREPO_THREADS": "many"}, file=tmp_path / "none")


def test_every_setting_has_a_type_that_can_be_read(tmp_path: Path) -> None:
    for field in Settings.__dataclass_fields__.values():
        value = getattr(Settings(), field.name)
        loaded = load(environment={environment_name(field.name): str(value)}, file=tmp_path / "none")
        assert getattr(loaded, field.name) == value


def test_a_token_does_not_show_in_a_representation() -> None:
    assert "secret" not in repr(Settings(token="pvr_1_secret"))
