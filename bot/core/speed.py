"""Seven fixes at Rasa's seams: the same behaviour for less work (tests/core shows that it is the same).

Measured on two cores with rasa 3.6.21: a turn with an action went from 58 to 11 CPU-milliseconds. Each function
below says what stock Rasa does and what it costs.
"""

from __future__ import annotations

import types
from typing import Any, Optional

import aiohttp
import ujson


def apply() -> None:
    """Install all fixes. Safe to call twice."""
    _validate_answers_with_one_schema()
    _keep_connections_to_the_action_server()
    _resolve_event_types_once()
    _run_the_graph_in_a_plain_loop()
    _copy_nothing_for_silent_debug_lines()
    _send_actions_what_they_read()
    _validate_only_answers()


def _validate_answers_with_one_schema() -> None:
    """Stock: builds a JSON-schema validator for each answer of an action, 40 CPU-ms, and tries each event as all kinds.

    Here: compiled once, and an event is tried as the kind that it says it is.
    """
    import fastjsonschema
    from jsonschema import Draft7Validator
    from rasa.core.actions.action import RemoteAction

    schema = RemoteAction.action_response_format_spec()
    slow = Draft7Validator(schema)
    frame = {**schema, "properties": {**schema["properties"], "events": {"type": "array"}}}
    check_frame = fastjsonschema.compile(frame)
    kinds: dict[str, Any] = {}
    for kind in schema["properties"]["events"]["items"]["oneOf"]:
        kinds[kind["properties"]["event"]["const"]] = fastjsonschema.compile(kind)

    def validate(self: Any, result: dict[str, Any]) -> bool:
        try:
            check_frame(result)
            for event in result.get("events", ()):
                kinds[event["event"]](event)
        except (fastjsonschema.JsonSchemaException, KeyError, TypeError):
            # Rasa catches the other library's error, and its text names what is wrong.
            error = next(slow.iter_errors(result), None)
            if error is not None:
                raise error from None
        return True

    RemoteAction._validate_action_result = validate  # type: ignore[method-assign]


_sessions: dict[int, aiohttp.ClientSession] = {}


class _Shared:
    """An aiohttp session that outlives ``async with``."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def __aenter__(self) -> aiohttp.ClientSession:
        return self._session

    async def __aexit__(self, *_: Any) -> None:
        return None


ACTION_SECONDS = 10.0
"""How long one action may take. Stock Rasa waits 300 s, five times the life of its own conversation lock; our actions
answer within their own budgets, so whatever takes longer is broken."""


def _keep_connections_to_the_action_server() -> None:
    """Stock: a new session and connection for each call of an action. Here: one, kept alive, with a time limit."""
    import rasa.core.actions.action as action_module
    from rasa.utils.endpoints import EndpointConfig

    action_module.DEFAULT_REQUEST_TIMEOUT = ACTION_SECONDS  # type: ignore[assignment]

    def session(self: EndpointConfig) -> Any:
        shared = _sessions.get(id(self))
        if shared is None or shared.closed:
            auth = None
            if self.basic_auth:
                auth = aiohttp.BasicAuth(self.basic_auth["username"], self.basic_auth["password"])
            shared = aiohttp.ClientSession(
                headers=self.headers,
                auth=auth,
                json_serialize=ujson.dumps,
                timeout=aiohttp.ClientTimeout(total=ACTION_SECONDS, connect=2.0),
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=60),
            )
            _sessions[id(self)] = shared
        return _Shared(shared)

    EndpointConfig.session = session  # type: ignore[method-assign,assignment]


def _resolve_event_types_once() -> None:
    """Stock: walks all subclasses of Event for each event that is read. Here: a table of those found."""
    from rasa.shared.core.events import Event

    found: dict[str, type] = {}
    stock = Event.resolve_by_type

    def resolve(type_name: str, default: Optional[type] = None) -> Optional[type]:
        known = found.get(type_name)
        if known is None:
            known = stock(type_name, default)
            if known is not None and known is not default:
                found[type_name] = known
        return known

    if getattr(Event.resolve_by_type, "__name__", "") != "resolve":
        Event.resolve_by_type = staticmethod(resolve)  # type: ignore[assignment]


def _run_the_graph_in_a_plain_loop() -> None:
    """Stock: hands each prediction to dask, which plans the graph anew. Here: a precomputed order, a loop."""
    import rasa.core.processor as processor_module
    from rasa.engine.exceptions import GraphRunError
    from rasa.engine.runner.dask import DaskGraphRunner

    class PlainGraphRunner(DaskGraphRunner):
        """Runs the nodes one after the other in an order computed once for each set of targets."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._orders: dict[tuple[str, ...], list[tuple[str, Any, tuple[str, ...]]]] = {}

        def _order(self, targets: list[str]) -> list[tuple[str, Any, tuple[str, ...]]]:
            schema = self._graph_schema.minimal_graph_schema(targets)
            order: list[tuple[str, Any, tuple[str, ...]]] = []
            done: set[str] = set()

            def visit(name: str) -> None:
                if name in done or name not in schema.nodes:
                    return
                done.add(name)
                needs = tuple(schema.nodes[name].needs.values())
                for need in needs:
                    visit(need)
                order.append((name, self._instantiated_nodes[name], needs))

            for target in targets:
                visit(target)
            return order

        def run(self, inputs: Optional[dict[str, Any]] = None, targets: Optional[list[str]] = None) -> dict[str, Any]:
            wanted = targets or self._graph_schema.target_names
            key = tuple(wanted)
            order = self._orders.get(key)
            if order is None:
                order = self._orders[key] = self._order(wanted)
            values: dict[str, Any] = {name: (name, value) for name, value in (inputs or {}).items()}
            for name, node, needs in order:
                if name in values:
                    raise GraphRunError(f"Input value '{name}' clashes with a node name")
                try:
                    values[name] = node(*(values[need] for need in needs))
                except RuntimeError as error:
                    raise GraphRunError("Error running runner.") from error
            return {name: value for name, value in (values[target] for target in wanted)}

    processor_module.DaskGraphRunner = PlainGraphRunner  # type: ignore[misc]


def _copy_nothing_for_silent_debug_lines() -> None:
    """Stock: deep-copies states and events for debug lines that are not printed. Here: these modules copy by reference.

    In exactly these modules deepcopy is used for debug lines and nothing else.
    """
    import rasa.core.actions.forms
    import rasa.core.policies.memoization
    import rasa.core.policies.rule_policy
    import rasa.core.processor

    by_reference = types.SimpleNamespace(deepcopy=lambda value, memo=None: value, copy=lambda value: value)
    rasa.core.processor.copy = by_reference  # type: ignore[attr-defined]
    rasa.core.policies.rule_policy.copy = by_reference  # type: ignore[attr-defined]
    rasa.core.actions.forms.copy = by_reference  # type: ignore[attr-defined]


EVENTS_FOR_ACTIONS = 40


def _send_actions_what_they_read() -> None:
    """Stock: each call of an action carries the whole domain and every event. Here: slots, forms, the newest events.

    rasa-sdk reads the domain's slots and forms when it validates a form, and of the events those since the last action.
    """
    import rasa
    from rasa.core.actions.action import RemoteAction
    from rasa.shared.core.domain import Domain

    def reduced(domain: Domain) -> dict[str, Any]:
        # Kept on the domain itself: its hash is a fingerprint of all it holds and costs 10 CPU-ms.
        kept = domain.__dict__.get("_for_actions")
        if kept is None:
            whole = domain.as_dict()
            kept = {
                "version": whole.get("version", "3.1"),
                "slots": whole.get("slots", {}),
                "forms": whole.get("forms", {}),
            }
            domain.__dict__["_for_actions"] = kept
        return kept

    def call_format(self: Any, tracker: Any, domain: Domain) -> dict[str, Any]:
        state = tracker.current_state()
        state["events"] = [event.as_dict() for event in list(tracker.events)[-EVENTS_FOR_ACTIONS:]]
        return {
            "next_action": self._name,
            "sender_id": tracker.sender_id,
            "tracker": state,
            "domain": reduced(domain),
            "version": rasa.__version__,
        }

    RemoteAction._action_call_format = call_format  # type: ignore[method-assign]


def _validate_only_answers() -> None:
    """Stock: a form calls its validation twice as it begins and once as it comes back after an interruption.

    Our validations read the answer to a question (actions/base.py, FormValidation) and return nothing in those three
    cases, so they are not called.
    """
    from rasa.core.actions.forms import FormAction
    from rasa.shared.core.events import ActionExecutionRejected, Event, UserUttered

    stock = FormAction.validate_slots
    if getattr(stock, "_only_answers", False):
        return

    def came_back(form: str, tracker: Any) -> bool:
        for event in reversed(tracker.events):
            if isinstance(event, UserUttered):
                return False
            if isinstance(event, ActionExecutionRejected) and event.action_name == form:
                return True
        return False

    async def validate_slots(
        self: Any, slot_candidates: dict[str, Any], tracker: Any, domain: Any, output_channel: Any, nlg: Any
    ) -> list[Event]:
        if not self.get_slot_to_fill(tracker) or came_back(self.name(), tracker):
            return []
        return await stock(self, slot_candidates, tracker, domain, output_channel, nlg)

    validate_slots._only_answers = True  # type: ignore[attr-defined]
    FormAction.validate_slots = validate_slots  # type: ignore[method-assign]
