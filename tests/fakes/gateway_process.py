"""The gateway as a process of its own, with the fake guard: `python -m tests.fakes.gateway_process`."""

from __future__ import annotations

from bot.app import build, serve
from integrations.base.logs import configure_logs
from integrations.base.settings import get_settings
from tests.fakes.gateway import FakePhoneBook
from tests.fakes.guard import WordGuard, word_script

if __name__ == "__main__":
    configure_logs("INFO", as_json=True)
    serve(get_settings(), lambda given: build(given, WordGuard(), word_script, FakePhoneBook()))
