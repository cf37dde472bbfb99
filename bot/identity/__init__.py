"""Who a conversation belongs to, and what that lets them see."""

from bot.identity.models import Identity
from bot.identity.store import IdentityStore

__all__ = ["Identity", "IdentityStore"]
