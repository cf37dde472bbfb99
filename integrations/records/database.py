"""Connections to the database, and bringing its tables up to date."""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import structlog
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from integrations.base.settings import Settings

log = structlog.get_logger()

_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 7_203_611
"""PostgreSQL's advisory lock for migrations; the number means nothing, it only has to be ours."""


def _pragmas(connection: Any, _: Any) -> None:
    # Python's driver would begin transactions by itself, and late; `_begin` does it.
    connection.isolation_level = None
    cursor = connection.cursor()
    # Readers do not wait for the writer; a writer waits its turn; what was committed survives a power cut.
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA busy_timeout=5000")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin(connection: Connection) -> None:
    # A transaction that reads and then writes fails at once when another one wrote in between; one that takes the
    # write lock first waits its turn.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def make_engine(url: str) -> AsyncEngine:
    """An engine; a SQLite file's folder is made when it is missing."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database and parsed.database != ":memory:":
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_async_engine(url)
        event.listen(engine.sync_engine, "connect", _pragmas)
        event.listen(engine.sync_engine, "begin", _begin)
        return engine
    return create_async_engine(url, pool_pre_ping=True, pool_size=10, max_overflow=20)


class Database:
    """A pool of connections, for one event loop.

    Args:
        url: SQLAlchemy's, with an async driver: sqlite+aiosqlite:///file or postgresql+asyncpg://...
    """

    def __init__(self, url: str) -> None:
        self.engine = make_engine(url)
        self._writer = self.engine.execution_options(writes=True)

    @classmethod
    def from_settings(cls, settings: Settings) -> Database:
        """Connect as the environment says."""
        return cls(settings.database_url)

    def insert(self, table: Any) -> Any:
        """An INSERT of this database's dialect, which has `on_conflict_do_nothing` and `on_conflict_do_update`."""
        return sqlite.insert(table) if self.engine.dialect.name == "sqlite" else postgresql.insert(table)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """A transaction for writing: committed at the end of the block, rolled back when it raises."""
        async with self._writer.begin() as connection:
            yield connection

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection for reading."""
        async with self.engine.connect() as connection:
            yield connection

    async def ping(self) -> None:
        """Ask it something.

        Raises:
            sqlalchemy.exc.SQLAlchemyError, OSError: it does not answer.
        """
        async with self.read() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


@contextmanager
def _alone(url: str) -> Iterator[None]:
    """One process at a time for a SQLite file; PostgreSQL has a lock of its own."""
    database = make_url(url).database
    if make_url(url).get_backend_name() != "sqlite" or not database or database == ":memory:":
        yield
        return
    lock = Path(f"{database}.migrating")
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _migrate(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


async def upgrade(database_url: str) -> None:
    """Bring the tables up to date; any number of processes may do so at once.

    Raises:
        sqlalchemy.exc.SQLAlchemyError, OSError: the database cannot be reached or changed.
    """

    async def run() -> None:
        engine = make_engine(database_url)
        try:
            async with engine.execution_options(writes=True).begin() as connection:
                await connection.run_sync(_migrate)
        finally:
            await engine.dispose()

    def alone() -> None:
        with _alone(database_url):
            asyncio.run(run())

    # In a thread with a loop of its own, because waiting for the lock would block this one.
    await asyncio.to_thread(alone)
    log.info("database is up to date")
