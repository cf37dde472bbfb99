"""Starting the house: clear about what is in the way, nothing trained twice, secrets for their owner only."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

import pytest

from bot.processes import house, redis, training
from integrations.base.settings import Settings, SettingsError, get_settings

pytestmark = pytest.mark.unit


def test_a_port_in_use_is_named_with_the_setting_that_moves_us() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = list(house.taken_ports(Settings(port=port, actions_port=1, sandbox_port=2, redis_url="redis://x:3/0")))
    assert said == [f"port {port} is in use; stop what listens there, or set PORT"]


def test_the_sandbox_and_redis_start_only_where_they_are_wanted() -> None:
    names = [name for name, _ in house.processes(Settings(sandbox=True))]
    assert names == ["redis", "sandbox", "actions", "rasa", "speech", "gateway", "worker"]
    production = Settings(sandbox=False, redis_external=True)
    assert [name for name, _ in house.processes(production)] == ["actions", "rasa", "speech", "gateway", "worker"]


def test_secrets_are_made_once_and_readable_by_their_owner_only(tmp_path: Path) -> None:
    first = house.secrets_of(tmp_path)
    assert first == house.secrets_of(tmp_path) and len(set(first.values())) == 4
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600


def test_the_embedded_redis_listens_on_loopback_and_keeps_what_it_accepted(tmp_path: Path) -> None:
    command = redis.command(6399, tmp_path)
    options = dict(zip(command[1::2], command[2::2], strict=True))
    assert options["--bind"] == "127.0.0.1" and options["--appendonly"] == "yes"


def test_a_changed_example_makes_the_assistant_stale(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(training, "ROOT", tmp_path)
    nlu = tmp_path / "data" / "outage" / "nlu.yml"
    for path in (nlu, tmp_path / "config.yml", tmp_path / "bot" / "core" / "uv.lock"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("one")
    before = training.inputs()
    assert before == training.inputs()
    nlu.write_text("two")
    changed = training.inputs()
    assert changed.split()[0] != before.split()[0] and changed.split()[1] == before.split()[1]


def test_a_wrong_setting_is_named_at_start_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "eighty")
    get_settings.cache_clear()
    try:
        with pytest.raises(SettingsError, match="PORT"):
            get_settings()
    finally:
        get_settings.cache_clear()
