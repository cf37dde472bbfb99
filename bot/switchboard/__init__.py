"""One conversation per customer: every channel meets the dialogue through this door."""

from bot.switchboard.models import Button, Channel, Door, Media, Reply, Turn, TurnInProgress
from bot.switchboard.switchboard import Switchboard

__all__ = ["Button", "Channel", "Door", "Media", "Reply", "Switchboard", "Turn", "TurnInProgress"]
