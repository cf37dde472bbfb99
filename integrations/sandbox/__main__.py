"""Start the simulated utility: ``python -m integrations.sandbox``."""

from __future__ import annotations

import argparse
from pathlib import Path

import structlog
import uvicorn

from integrations.base.logs import configure_logs
from integrations.base.settings import get_settings

from .app import create_app
from .calls.hooks import Number
from .texting import Webhook
from .twilio_api import Account
from .utility import Utility

log = structlog.get_logger()


def main() -> None:
    """Serve until stopped, on the port that the settings name."""
    parser = argparse.ArgumentParser(prog="python -m integrations.sandbox", description=__doc__)
    parser.add_argument("--replay", type=Path, help="play a recorded outage feed (JSON lines)")
    parser.add_argument("--speed", type=float, default=60.0, help="of the recording: 60 plays an hour in a minute")
    asked = parser.parse_args()
    settings = get_settings()
    configure_logs(settings.log_level, settings.log_json)
    utility = Utility(
        settings.sandbox_seed, settings.sandbox_service_points, user=settings.oms_user,
        password=settings.oms_password.get_secret_value(),
    )  # fmt: skip
    if asked.replay is not None:
        utility.start_replay(asked.replay, asked.speed)
    gateway = f"http://127.0.0.1:{settings.port}"
    # As a real OMS has its subscribers in its configuration; others may subscribe beside it.
    utility.pushes.subscribe(f"{gateway}/multispeak/{settings.oms_push_secret.get_secret_value()}")
    app = create_app(
        utility,
        account=Account(
            settings.twilio_account_sid, settings.twilio_auth_token.get_secret_value(), settings.twilio_phone_number
        ),
        webhook=Webhook(f"{gateway}/twilio/sms", f"{settings.public_url}/twilio/sms"),
        cis_token=settings.cis_token.get_secret_value(),
        number=Number(
            f"{settings.public_url}/twilio/voice", status=f"{settings.public_url}/twilio/status/voice",
            public=settings.public_url, local=gateway,
        ),
    )  # fmt: skip
    log.info("simulated utility starts", port=settings.sandbox_port, service_points=utility.territory.size)
    uvicorn.run(
        app, host="127.0.0.1", port=settings.sandbox_port, log_level="warning", access_log=False,
        timeout_graceful_shutdown=2,
    )  # fmt: skip


if __name__ == "__main__":
    main()
