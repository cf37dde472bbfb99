"""The one way into the dialogue: a private channel for the gateway that streams replies and reports failure as failure.

Rasa's own REST channel answers 200 with an empty list when a dialogue crashed, takes any sender, and unpacks any text
that begins with a slash as a command. This one checks a token, takes commands only where the gateway vouches for them,
streams each reply as it is produced, and ends every stream with ``done`` or ``error``.

``POST /webhooks/gateway/turn`` with ``{"conversation_id", "turn_id", "text", "metadata": {...}}``; the answer is
``application/x-ndjson``: lines ``{"type": "message", ...}``, then one ``{"type": "done", ...}`` or
``{"type": "error", ...}``.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from typing import Any, Awaitable, Callable, Optional

import structlog
from rasa.core.channels.channel import InputChannel, OutputChannel, UserMessage
from rasa.shared.core.events import SlotSet, deserialise_events
from sanic import Blueprint, response
from sanic.request import Request
from sanic.response import HTTPResponse

log = structlog.get_logger()

MAX_TEXT = 4_000
"""Characters of one turn. The gateway shortens what customers send; more than this here is a mistake."""


class TurnOutput(OutputChannel):
    """Hands each reply to the stream as it is produced, and remembers whether an action failed."""

    def __init__(self, channel: str, send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
        self._channel = channel
        self._send = send
        self.failed: Optional[str] = None
        self.sent = 0

    def name(self) -> str:  # type: ignore[override]
        """The customer's channel, so that responses vary by ``channel:`` in the designers' files."""
        return self._channel

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        """Pass one reply on, whole, with the name of the response that it came from."""
        custom = message.get("custom")
        if isinstance(custom, dict) and custom.get("porchlight_failed"):
            self.failed = str(custom["porchlight_failed"])
            return
        self.sent += 1
        await self._send(
            {
                "type": "message",
                "text": message.get("text"),
                "buttons": [
                    {"title": button.get("title", ""), "payload": button.get("payload", "")}
                    for button in message.get("buttons") or message.get("quick_replies") or []
                ],
                "image": message.get("image"),
                "response": message.get("utter_action") or "",
                "custom": custom,
            }
        )


class GatewayChannel(InputChannel):
    """The input channel that credentials.yml names."""

    def __init__(self, token: str, turn_seconds: float = 20.0) -> None:
        if not token:
            raise ValueError("credentials.yml: the gateway channel needs a token (RASA_TOKEN)")
        self._token = token
        self._turn_seconds = turn_seconds

    @classmethod
    def name(cls) -> str:
        """The channel's name in URLs."""
        return "gateway"

    @classmethod
    def from_credentials(cls, credentials: Optional[dict[str, Any]]) -> "GatewayChannel":
        """Build it from credentials.yml: ``token`` and, if wanted, ``turn_seconds``."""
        values = credentials or {}
        return cls(str(values.get("token") or ""), float(values.get("turn_seconds") or 20.0))

    def _allowed(self, request: Request) -> bool:
        sent = request.headers.get("authorization", "")
        return hmac.compare_digest(sent.encode(), f"Bearer {self._token}".encode())

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        """The routes: readiness, a turn, events that the gateway sets."""
        routes = Blueprint("porchlight_gateway")

        @routes.route("/", methods=["GET"])
        async def ready(request: Request) -> HTTPResponse:
            agent = getattr(request.app.ctx, "agent", None)
            is_ready = bool(agent and agent.is_ready())
            return response.json({"ready": is_ready}, status=200 if is_ready else 503)

        @routes.route("/turn", methods=["POST"])
        async def turn(request: Request) -> Optional[HTTPResponse]:
            if not self._allowed(request):
                return response.json({"error": "unauthorized"}, status=401)
            body = request.json
            problem = _problem(body)
            if problem:
                return response.json({"error": problem}, status=400)
            stream = await request.respond(content_type="application/x-ndjson")

            async def send(line: dict[str, Any]) -> None:
                await stream.send(json.dumps(line, separators=(",", ":")) + "\n")

            await send(await self._run(request.app.ctx.agent, body, send, on_new_message))
            await stream.eof()
            return None

        @routes.route("/event", methods=["POST"])
        async def event(request: Request) -> HTTPResponse:
            if not self._allowed(request):
                return response.json({"error": "unauthorized"}, status=401)
            body = request.json or {}
            conversation = str(body.get("conversation_id") or "")
            if not conversation or not isinstance(body.get("events"), list):
                return response.json({"error": "bad_request"}, status=400)
            processor = request.app.ctx.agent.processor
            tracker = await processor.fetch_tracker_with_initial_session(conversation)
            allowed = [item for item in deserialise_events(body["events"]) if isinstance(item, SlotSet)]
            tracker.update_with_events(allowed, processor.domain)
            await processor.save_tracker(tracker)
            return response.json({"applied": len(allowed)})

        return routes

    async def _run(
        self,
        agent: Any,
        body: dict[str, Any],
        send: Callable[[dict[str, Any]], Awaitable[None]],
        on_new_message: Callable[[UserMessage], Awaitable[Any]],
    ) -> dict[str, Any]:
        """Run one turn; the result is the stream's last line."""
        metadata = dict(body.get("metadata") or {})
        output = TurnOutput(str(metadata.get("channel") or "web"), send)
        message = UserMessage(
            body["text"],
            output,
            body["conversation_id"],
            input_channel=output.name(),
            message_id=body.get("turn_id"),
            metadata=metadata,
        )
        try:
            tracker = await asyncio.wait_for(_handle(agent, message), self._turn_seconds)
        except asyncio.TimeoutError:
            log.error("gateway_channel.turn_timed_out")
            return {"type": "error", "error": "timeout"}
        except Exception as error:  # the boundary of a turn: whatever broke, the gateway must hear of it
            log.error("gateway_channel.turn_failed", error=type(error).__name__)
            return {"type": "error", "error": "dialogue_failed"}
        if output.failed:
            log.error("gateway_channel.action_failed", action=output.failed)
            return {"type": "error", "error": "action_failed"}
        latest = tracker.latest_message
        intent = latest.intent if latest else {}
        return {
            "type": "done",
            "intent": intent.get("name") or "",
            "confidence": float(intent.get("confidence") or 0.0),
            "active_form": tracker.active_loop_name,
            "requested_slot": tracker.get_slot("requested_slot"),
            "replies": output.sent,
        }


async def _handle(agent: Any, message: UserMessage) -> Any:
    """Agent.handle_message without the conversation lock: the gateway keeps a conversation's turns in order."""
    processor = agent.processor
    tracker = await processor.log_message(message, should_save_tracker=False)
    tracker = await processor.run_action_extract_slots(message.output_channel, tracker)
    await processor._run_prediction_loop(message.output_channel, tracker)
    await processor.save_tracker(tracker)
    return tracker


def _problem(body: Any) -> Optional[str]:
    if not isinstance(body, dict):
        return "not_an_object"
    if not isinstance(body.get("conversation_id"), str) or not body["conversation_id"]:
        return "conversation_id_missing"
    text = body.get("text")
    if not isinstance(text, str):
        return "text_missing"
    if len(text) > MAX_TEXT:
        return "text_too_long"
    metadata = body.get("metadata")
    if metadata is not None and not isinstance(metadata, dict):
        return "metadata_not_an_object"
    if text.lstrip().startswith("/") and not (metadata or {}).get("trusted"):
        return "command_not_trusted"
    return None
