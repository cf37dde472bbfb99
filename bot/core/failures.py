"""An action that failed is a failed turn.

Stock Rasa logs the exception of a failed action (with what the customer wrote in it) and goes on as if the action had
done nothing, so the customer hears silence. Here the output channel is told, and the turn ends as ``action_failed``.
"""

from __future__ import annotations

from typing import Any

import structlog

log = structlog.get_logger()


def apply() -> None:
    """Make a failing remote action mark its turn as failed. Safe to call twice."""
    from rasa.core.actions.action import ActionExecutionRejection, RemoteAction
    from rasa.shared.core.events import Event

    stock = RemoteAction.run
    if getattr(stock, "_marks_failures", False):
        return

    async def run(self: Any, output_channel: Any, nlg: Any, tracker: Any, domain: Any) -> list[Event]:
        try:
            return await stock(self, output_channel, nlg, tracker, domain)
        except ActionExecutionRejection:
            raise
        except Exception as error:  # whatever an action server can do wrong; the gateway answers the customer
            log.error("action.failed", action=self.name(), error=type(error).__name__)
            if hasattr(output_channel, "failed"):
                output_channel.failed = self.name()
            return []

    run._marks_failures = True  # type: ignore[attr-defined]
    RemoteAction.run = run  # type: ignore[method-assign]
