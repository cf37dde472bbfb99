"""The action server: ``python -m actions``, on the loopback interface only."""

from __future__ import annotations

import sys
from typing import Any

import structlog
from rasa_sdk.endpoint import create_app
from rasa_sdk.executor import ActionExecutor
from sanic.worker.loader import AppLoader

from actions import services
from actions.base import all_actions
from integrations.base.logs import configure_logs
from integrations.base.settings import SettingsError, get_settings

log = structlog.get_logger()


def make_app() -> Any:
    """The Sanic application with every action and with its services tied to its life."""
    executor = ActionExecutor()
    for action in all_actions():
        executor.register_action(action)
    app = create_app(executor)
    app.config.KEEP_ALIVE_TIMEOUT = 75
    app.config.ACCESS_LOG = False

    @app.before_server_start  # type: ignore[untyped-decorator]
    async def start(_: Any, __: Any = None) -> None:
        services.use(await services.build(get_settings()))
        log.info("actions started")

    @app.after_server_stop  # type: ignore[untyped-decorator]
    async def stop(_: Any, __: Any = None) -> None:
        await services.services().close()
        services.use(None)

    return app


def main() -> None:
    """Serve until told to stop."""
    try:
        settings = get_settings()
    except SettingsError as error:
        sys.exit(str(error))
    configure_logs(settings.log_level, settings.log_json)
    loader = AppLoader(factory=make_app)
    app = loader.load()
    app.prepare(host="127.0.0.1", port=settings.actions_port, single_process=True, motd=False, access_log=False)
    type(app).serve_single(primary=app)


if __name__ == "__main__":
    main()
