"""Handing reports over, and telling the customer what became of them."""

from __future__ import annotations

from actions.base import Conversation
from actions.outage.premise import label
from integrations.cis.models import Premise
from integrations.oms.models import OutageStatus, OutageView, ReportKind, TroubleReport
from integrations.oms.reports import Receipt, ReportNotKept


def is_out(view: OutageView) -> bool:
    """Whether there is no power now, as far as is known; planned work that is still to come does not count."""
    return (
        view.outage is not None
        and (view.status.is_out or view.outage.status.is_out)
        and not (view.outage.planned and view.status is OutageStatus.SCHEDULED)
    )


async def report(
    conversation: Conversation, premise: Premise, kind: ReportKind, known: bool, view: OutageView
) -> Receipt | None:
    """Hand a report over (once, however often it is said) and tell the customer what became of it.

    Args:
        conversation: the turn.
        premise: where.
        kind: what.
        known: the customer's own place.
        view: what is known of the place; an outage that is known there already gets the report added to it.
    """
    services = conversation.services
    identity = await conversation.identity()
    now = services.now()
    kind = _kind_by_view(kind, view)
    outage = view.outage
    restored_at = outage.updated_at if outage is not None and view.status is OutageStatus.RESTORED else None
    key = await services.reports.key(kind, service_point_id=premise.service_point_id, restored_at=restored_at)
    return await _submit(
        conversation,
        TroubleReport(
            report_id=key,
            kind=kind,
            # It has been dark since the outage that was said to be over began.
            occurred_at=outage.started_at or now if outage is not None and kind == "still_out" else now,
            service_point_id=premise.service_point_id,
            account_number=premise.account_number,
            phone=identity.phone or "",
            priority="Urgent" if premise.life_support else ("NeedsAttention" if kind == "still_out" else "Normal"),
            note=f"Reported by {conversation.channel}",
            conversation_id=conversation.id,
            address=premise.address,
        ),
        label(premise, known),
        "utter_outage_report_added" if is_out(view) else "utter_outage_reported",
    )


def _kind_by_view(kind: ReportKind, view: OutageView) -> ReportKind:
    """What a report of missing power is to the OMS: still out where power was said to be back, else an outage.

    The customer's words do not decide it, so that other words for the same trouble are the same report.
    """
    if kind not in ("outage", "still_out"):
        return kind
    states = {view.status, view.outage.status if view.outage is not None else view.status}
    return "still_out" if states & {OutageStatus.RESTORED, OutageStatus.STILL_OUT} else "outage"


async def report_by_address(conversation: Conversation, goal: str, address: str) -> Receipt | None:
    """Hand over a report whose place is known by the customer's words only; dispatchers find it by them."""
    services = conversation.services
    identity = await conversation.identity()
    kind: ReportKind = "partial" if goal == "partial_power" else "outage"
    return await _submit(
        conversation,
        TroubleReport(
            report_id=await services.reports.key(kind, address=address),
            kind=kind,
            occurred_at=services.now(),
            service_point_id="",
            account_number="",
            phone=identity.phone or "",
            priority="NeedsAttention",
            note=f"Reported by {conversation.channel}; the address is in the customer's words",
            conversation_id=conversation.id,
            address=address,
        ),
        address,
        "utter_outage_reported_unplaced",
    )


async def _submit(conversation: Conversation, trouble: TroubleReport, address: str, delivered: str) -> Receipt | None:
    try:
        receipt = await conversation.services.reports.submit(trouble)
    except ReportNotKept:
        conversation.say("utter_outage_report_failed")
        return None
    response = {"already": "utter_outage_report_already", "kept": "utter_outage_report_kept"}.get(
        receipt.state, delivered
    )
    conversation.say(response, address=address, reference=receipt.reference)
    return receipt
