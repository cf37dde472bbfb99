"""Sentences that belong together are one message.

An action says a status in sentences, each a response of its own that designers can word. A response that an action
marks with ``join`` continues the message before it; stock Rasa would send eight bubbles, and eight texts.
"""

from __future__ import annotations

from typing import Any


def apply() -> None:
    """Make remote actions' responses joinable. Safe to call twice."""
    from rasa.core.actions.action import RemoteAction
    from rasa.shared.core.events import BotUttered

    stock = RemoteAction._utter_responses
    if getattr(stock, "_joins", False):
        return

    async def utter(responses: list[dict[str, Any]], output_channel: Any, nlg: Any, tracker: Any) -> list[BotUttered]:
        said: list[BotUttered] = []
        for response in responses:
            joins = bool(response.pop("join", False))
            for event in await stock([response], output_channel, nlg, tracker):
                before = said[-1] if said else None
                if joins and before is not None and before.text and event.text and not before.data.get("buttons"):
                    said[-1] = _joined(before, event)
                else:
                    said.append(event)
        return said

    def _joined(first: BotUttered, second: BotUttered) -> BotUttered:
        metadata = {**second.metadata, **first.metadata}
        names = [one.metadata.get("utter_action") for one in (first, second)]
        metadata["utter_action"] = " ".join(name for name in names if name)
        return BotUttered(
            text=f"{first.text} {second.text}",
            data={key: second.data.get(key) or value for key, value in first.data.items()},
            metadata=metadata,
            timestamp=first.timestamp,
        )

    utter._joins = True  # type: ignore[attr-defined]
    RemoteAction._utter_responses = staticmethod(utter)  # type: ignore[assignment,method-assign]
