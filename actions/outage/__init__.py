"""The outage journey: which place, what is known, reports, updates."""

from actions.outage import answers, follow_up, forms

__all__ = ["answers", "follow_up", "forms"]
