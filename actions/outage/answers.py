"""What the outage journey answers, for each thing that a customer can want."""

from __future__ import annotations

import re
from datetime import datetime

import structlog

from actions.base import Conversation, Events, PorchlightAction, set_slots, start_form
from actions.outage import words
from actions.outage.premise import Found, address_in, is_address, label, named, own_premises, search
from actions.outage.reporting import is_out, report, report_by_address
from integrations.cis.client import CisUnavailable
from integrations.cis.models import Premise
from integrations.oms.models import CrewStatus, EtrClass, Outage, OutageStatus, OutageView

log = structlog.get_logger()

GOALS = ("report_outage", "outage_status", "still_out", "outage_updates", "partial_power", "planned_outage")
_LEAVE = re.compile(
    r"\b(stop|cancel|quit|end|remove|unsubscribe|opt out|no more|don'?t|do not|turn off|take me off|parar?|dejen?)\b",
    re.IGNORECASE,
)


class ActionOutage(PorchlightAction):
    """Whatever a customer wants about an outage: find the place, then answer."""

    action = "action_outage"

    async def act(self, conversation: Conversation) -> Events:
        """Find the place in the words, in the conversation, or by the number; else ask for it."""
        goal = conversation.intent
        if goal == "outage_power_on":
            return await _power_is_back(conversation)
        goal = "still_out" if goal == "outage_power_off" else goal
        return await answer_wish(conversation, goal if goal in GOALS else "outage_status")


async def answer_wish(conversation: Conversation, goal: str) -> Events:
    """Find the place that a wish is about, and answer it; ask for the place where it is not known.

    Args:
        conversation: the turn.
        goal: one of GOALS.
    """
    found = await _place(conversation)
    events = set_slots(outage_goal=goal, outage_address=None)
    if found.premise:
        return [*events, *await answer(conversation, goal, found.premise, found.known)]
    address = address_in(conversation.text)
    if found.down and address:
        return [*events, *await without_records(conversation, goal, address)]
    return [*events, *await ask_for_place(conversation, found)]


async def _place(conversation: Conversation) -> Found:
    own = await own_premises(conversation)
    if conversation.text:
        mine = named(conversation.text, own.candidates) if len(own.candidates) > 1 else None
        if mine:
            return Found(mine, own.candidates, known=True)
        spoken = await search(conversation, conversation.text)
        if spoken.premise or spoken.candidates:
            is_own = spoken.premise is not None and spoken.premise in own.candidates
            return Found(spoken.premise, spoken.candidates, tried=True, known=is_own)
        if spoken.down and is_address(conversation.text):
            return spoken
        if is_address(conversation.text) and not own.candidates and not own.down:
            # Something that is surely an address and that nobody has: said now, not after asking for it again.
            return Found(tried=True)
    remembered = conversation.slot("outage_premise")
    if remembered:
        try:
            premise = await conversation.services.cis.get_premise(str(remembered))
        except CisUnavailable:
            premise = None
        if premise:
            return Found(premise, (premise,), known=premise in own.candidates)
    return own


async def ask_for_place(conversation: Conversation, found: Found) -> Events:
    """Start asking which place; the customer system's silence is said, not hidden."""
    if found.down:
        conversation.say("utter_outage_records_down")
    missed = found.tried and not found.candidates and not found.down
    if missed:
        conversation.say("utter_outage_premise_not_found")
    return start_form(
        "outage_premise_form",
        outage_premise=None,
        outage_premise_failures=1 if missed else 0,
        outage_premise_choices=[one.service_point_id for one in found.candidates] if not found.known else None,
    )


async def answer(conversation: Conversation, goal: str, premise: Premise, known: bool) -> Events:
    """Answer one wish about one place.

    Args:
        conversation: the turn.
        goal: one of GOALS.
        premise: the place.
        known: it is the customer's own by the number, so account matters may be hinted at.
    """
    view = await conversation.services.board.lookup(premise)
    events = set_slots(outage_premise=premise.service_point_id)
    if view.status is OutageStatus.NON_PAY or premise.non_pay:
        return events + _account_matter(conversation, premise, known)
    if goal == "planned_outage":
        return events + _planned(conversation, premise, view, known)
    if goal == "outage_updates":
        return events + await _updates(conversation, premise, view, known)
    if goal == "partial_power" and not is_out(view):
        return events + start_form("outage_breaker_form", outage_breaker_fixed=None)
    if goal == "still_out":
        return events + await _still_out(conversation, premise, view, known)
    if is_out(view) and view.outage is not None:
        tell(conversation, premise, view, view.outage, known)
        if goal in ("report_outage", "partial_power"):
            await report(conversation, premise, "outage" if goal == "report_outage" else "partial", known, view)
        return events + await offer_updates(conversation, premise)
    return events + await _nothing_known(conversation, premise, view, goal, known)


def _account_matter(conversation: Conversation, premise: Premise, known: bool) -> Events:
    # Whether an account is disconnected is the customer's own business; whoever merely typed an address learns nothing.
    if known:
        conversation.say("utter_outage_not_an_outage", address=label(premise, known))
    else:
        conversation.say("utter_outage_not_an_outage_private")
    return start_form("people_form", people_wanted=None, people_reason="account_matter")


def tell(conversation: Conversation, premise: Premise, view: OutageView, outage: Outage, known: bool) -> None:
    """Say what is known of an outage: since when, how large, why, the crew, the time by its class, how old this is."""
    services = conversation.services
    now, zone = services.now(), services.utility.timezone
    address = label(premise, known)
    if outage.planned and outage.planned_end:
        conversation.say(
            "utter_outage_planned_now", address=address, planned_end=words.estimate(outage.planned_end, now, zone)
        )
    elif view.status is OutageStatus.ASSUMED:
        conversation.say("utter_outage_assumed", address=address)
    elif outage.started_at:
        conversation.say("utter_outage_known", address=address, started=words.when(outage.started_at, now, zone))
    else:
        conversation.say("utter_outage_known_no_start", address=address)
    if outage.customers_out:
        small = outage.customers_out < 5
        if small:
            conversation.say("utter_outage_size_small", join=True)
        else:
            conversation.say("utter_outage_size", join=True, customers=words.customers(outage.customers_out))
    if outage.cause:
        conversation.say("utter_outage_cause", join=True, cause=outage.cause)
    if outage.crew is not CrewStatus.NONE or outage.etr_class in (EtrClass.NONE, EtrClass.ASSESSING):
        conversation.say(f"utter_outage_crew_{outage.crew.value}", join=True)
    if not outage.planned:
        say_etr(conversation, outage, now, zone)
    say_age(conversation, view, now, zone)


def say_etr(conversation: Conversation, outage: Outage, now: datetime, zone: str) -> None:
    """The restoration time, worded by its class; a past one is never a promise."""
    seen = outage.as_seen_at(now)
    if seen.etr_withdrawn:
        conversation.say("utter_outage_etr_withdrawn", join=True)
    elif seen.etr is None:
        response = "utter_outage_etr_assessing" if seen.etr_class is EtrClass.ASSESSING else "utter_outage_etr_none"
        conversation.say(response, join=True)
    elif seen.etr_class is EtrClass.EXPIRED:
        conversation.say("utter_outage_etr_expired", join=True, etr=words.when(seen.etr, now, zone))
    elif seen.etr_class in (EtrClass.CREW, EtrClass.AREA):
        conversation.say(f"utter_outage_etr_{seen.etr_class.value}", join=True, etr=words.estimate(seen.etr, now, zone))
    else:
        # A time without a known origin gets the weakest wording that a time can have.
        conversation.say("utter_outage_etr_statistical", join=True, etr=words.estimate(seen.etr, now, zone))


def say_age(conversation: Conversation, view: OutageView, now: datetime, zone: str) -> None:
    """When this was known; an old answer says that it is old."""
    fresh = (now - view.as_of).total_seconds() < 600
    response = "utter_outage_as_of" if fresh else "utter_outage_as_of_old"
    conversation.say(response, join=True, as_of=words.as_of(view.as_of, now, zone))


async def without_records(conversation: Conversation, goal: str, address: str) -> Events:
    """The customer records do not answer: nothing can be looked up, but a report is taken by the address as given.

    Args:
        conversation: the turn.
        goal: one of GOALS.
        address: in the customer's words.
    """
    if goal in ("report_outage", "still_out", "partial_power"):
        await report_by_address(conversation, goal, address)
        return []
    conversation.say("utter_outage_unknown_without_records", address=address)
    if goal == "outage_status":
        return start_form("outage_report_form", outage_report_wanted=None, outage_premise=None, outage_address=address)
    return start_form("people_form", people_wanted=None, people_reason="records_down")


async def _still_out(conversation: Conversation, premise: Premise, view: OutageView, known: bool) -> Events:
    if is_out(view) and view.outage is not None:
        # We know that it is out; what has gone wrong is a promise, and the status says which.
        tell(conversation, premise, view, view.outage, known)
    else:
        conversation.say("utter_outage_still_out_sorry")
    await report(conversation, premise, "still_out", known, view)
    return await offer_updates(conversation, premise)


async def _nothing_known(
    conversation: Conversation, premise: Premise, view: OutageView, goal: str, known: bool
) -> Events:
    services = conversation.services
    now, zone = services.now(), services.utility.timezone
    address = label(premise, known)
    if view.source == "none":
        conversation.say("utter_outage_unknown", address=address)
    elif view.status is OutageStatus.RESTORED:
        conversation.say("utter_outage_restored", address=address, as_of=words.as_of(view.as_of, now, zone))
    else:
        conversation.say("utter_outage_none_known", address=address, as_of=words.as_of(view.as_of, now, zone))
        if view.outage is not None and view.outage.planned:
            _say_planned(conversation, view.outage, address, now, zone)
    return start_form("outage_report_form", outage_report_wanted=None, outage_goal=goal)


def _planned(conversation: Conversation, premise: Premise, view: OutageView, known: bool) -> Events:
    services = conversation.services
    now, zone = services.now(), services.utility.timezone
    address = label(premise, known)
    if view.source == "none":
        conversation.say("utter_outage_unknown", address=address)
    elif view.outage is not None and view.outage.planned:
        _say_planned(conversation, view.outage, address, now, zone)
        say_age(conversation, view, now, zone)
    elif is_out(view) and view.outage is not None:
        tell(conversation, premise, view, view.outage, known)
    else:
        conversation.say("utter_outage_planned_none", address=address, as_of=words.as_of(view.as_of, now, zone))
    return []


def _say_planned(conversation: Conversation, outage: Outage, address: str, now: datetime, zone: str) -> None:
    started = words.when(outage.started_at, now, zone) if outage.started_at else "a time that is not fixed yet"
    if outage.planned_end:
        end = words.when(outage.planned_end, now, zone)
        conversation.say("utter_outage_planned", address=address, started=started, planned_end=end)
    else:
        conversation.say("utter_outage_planned_no_end", address=address, started=started)


async def _updates(conversation: Conversation, premise: Premise, view: OutageView, known: bool) -> Events:
    identity = await conversation.identity()
    address = label(premise, known)
    if _LEAVE.search(conversation.text):
        ended = 0
        if identity.phone:
            ended = await conversation.services.subscriptions.remove(identity.phone, premise.service_point_id)
        conversation.say("utter_outage_updates_off" if ended else "utter_outage_updates_none", address=address)
        return []
    if is_out(view) and view.outage is not None:
        tell(conversation, premise, view, view.outage, known)
    if identity.phone:
        return await subscribe(conversation, premise, identity.phone, known)
    return start_form("outage_updates_form", outage_updates_wanted=True, outage_updates_phone=None)


async def subscribe(conversation: Conversation, premise: Premise, phone: str, known: bool) -> Events:
    """Set up the texts and say so."""
    address = label(premise, known)
    try:
        await conversation.services.subscriptions.add(premise.service_point_id, phone, label=address)
    except Exception:  # the records are down; the customer hears that it did not work
        log.exception("subscription failed")
        conversation.say("utter_outage_updates_failed")
        return []
    conversation.say("utter_outage_updates_on", address=address, phone=_readable(phone))
    return []


async def offer_updates(conversation: Conversation, premise: Premise) -> Events:
    """Ask whether texts are wanted, unless they are set up already."""
    identity = await conversation.identity()
    if identity.phone:
        mine = await conversation.services.subscriptions.of_phone(identity.phone)
        if any(one.service_point_id == premise.service_point_id for one in mine):
            return []
    return start_form("outage_updates_form", outage_updates_wanted=None, outage_updates_phone=None)


async def _power_is_back(conversation: Conversation) -> Events:
    found = await _place(conversation)
    if found.premise:
        await conversation.services.reports.end_episode(found.premise.service_point_id)
    conversation.say("utter_outage_back_on")
    return []


def _readable(phone: str) -> str:
    digits = phone.removeprefix("+1")
    return f"({digits[:3]}) {digits[3:6]}-{digits[6:]}" if len(digits) == 10 else phone
