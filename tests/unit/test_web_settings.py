from __future__ import annotations

import pytest

from bot.app import refuse_unsafe
from bot.channels.limits import Allowance
from integrations.base.settings import Settings, SettingsError

pytestmark = pytest.mark.unit


def test_outside_the_sandbox_a_default_secret_is_refused_by_name() -> None:
    with pytest.raises(SettingsError) as refused:
        refuse_unsafe(Settings(sandbox=False, rasa_token="mine", public_url="https://chat.example.com"))
    assert "WEBCHAT_SECRET" in str(refused.value) and "TWILIO_AUTH_TOKEN" in str(refused.value)
    assert "RASA_TOKEN" not in str(refused.value) and "PUBLIC_URL" not in str(refused.value)


def test_in_the_sandbox_nothing_needs_to_be_set() -> None:
    refuse_unsafe(Settings(sandbox=True))


def test_an_allowance_is_used_up_and_fills_again() -> None:
    now = 0.0
    allowance = Allowance(burst=2, per_second=0.5, clock=lambda: now)
    assert allowance.is_full
    assert [allowance.take() for _ in range(3)] == [True, True, False]
    now = 2.0
    assert allowance.take() and not allowance.take()
    now = 100.0
    assert allowance.is_full
    assert [allowance.take() for _ in range(3)] == [True, True, False]
