"""What the gateway's service tests share: a real Redis, a dialogue server that can misbehave, a gateway between."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.fakes.gateway import Gateway, running_gateway, settings_for
from tests.fakes.rasa import FakeRasa, fake_rasa
from tests.fakes.redis_server import RedisServer


@pytest.fixture(scope="module")
def redis_server() -> Iterator[RedisServer]:
    server = RedisServer()
    server.start()
    yield server
    server.close()


@pytest.fixture
async def rasa() -> AsyncIterator[FakeRasa]:
    async with fake_rasa() as server:
        yield server


@pytest.fixture
async def gateway(redis_server: RedisServer, rasa: FakeRasa, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with running_gateway(settings_for(redis_server, rasa, tmp_path)) as running:
        yield running
