"""A Redis client that waits for nobody for ever and survives a restart of the server."""

from __future__ import annotations

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import ConnectionError as RedisConnectionError


def connect(url: str, max_connections: int = 128, timeout: float = 2.0, retries: int = 5) -> Redis:
    """A client with decoded answers.

    A command on a broken connection is tried again over about a second and a half, which covers a restart of Redis. A
    command may therefore run twice; what we send is safe to repeat. A Redis that hangs is not asked again.

    Args:
        url: redis://, rediss:// or unix://.
        max_connections: of the pool.
        timeout: seconds for one answer; blocking reads pass their own by a client of their own.
        retries: how often, with growing pauses.
    """
    return Redis.from_url(
        url,
        decode_responses=True,
        protocol=2,
        max_connections=max_connections,
        socket_timeout=timeout,
        socket_connect_timeout=min(timeout, 1.0),
        socket_keepalive=True,
        health_check_interval=30,
        retry=Retry(ExponentialWithJitterBackoff(cap=0.6, base=0.05), retries, (RedisConnectionError,)),
        retry_on_error=[RedisConnectionError],
    )
