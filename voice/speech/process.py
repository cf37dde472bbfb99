"""The speech process from its start to its end; started by ``python -m voice.speech``."""

from __future__ import annotations

import asyncio
import signal
import sys

import structlog

from integrations.base.logs import configure_logs
from integrations.base.settings import Settings, SettingsError, get_settings
from voice.speech.cache import SentenceCache
from voice.speech.engines import load
from voice.speech.models import ModelError, Models
from voice.speech.server import SpeechServer

log = structlog.get_logger()


async def serve(settings: Settings) -> None:
    """Load the engines, listen, and stop on SIGTERM or SIGINT.

    Raises:
        ModelError: a model or a setting is wrong.
        OSError: the port is taken.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    engines = await asyncio.to_thread(load, settings, Models.here())
    server = SpeechServer(
        engines.ears,
        engines.voices,
        engines.turn,
        token=settings.speech_token.get_secret_value(),
        cache=SentenceCache(settings.run_dir / "speech"),
        most_calls=settings.speech_most_calls,
        workers=settings.speech_workers,
    )
    try:
        if not stop.is_set():
            await server.start(settings.speech_host, settings.speech_port)
            log.info("speech is ready", port=settings.speech_port, calls=settings.speech_most_calls)
        await stop.wait()
    finally:
        await server.aclose()


def main() -> None:
    """Run until told to stop; a missing or wrong model or setting is named."""
    try:
        settings = get_settings()
        configure_logs(settings.log_level, settings.log_json)
        asyncio.run(serve(settings))
    except (SettingsError, ModelError) as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"SPEECH_HOST, SPEECH_PORT: cannot listen there ({error.strerror}); set others")
