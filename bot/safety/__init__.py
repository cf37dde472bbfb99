"""The emergency guard and its fixed scripts.

`Guard.check` reads every turn before sign-in, before a form, before the bot (DESIGN, principle 2); `script` gives the
words that answer. Words live in ``data/safety/lexicon.yml`` and ``data/safety/scripts.yml``.
Try one: ``python -m bot.safety "I smell gas"``.
"""

from bot.safety.guard import Guard, get_guard
from bot.safety.models import PRIORITY, Emergency, Kind, Language
from bot.safety.scripts import script

__all__ = ["PRIORITY", "Emergency", "Guard", "Kind", "Language", "get_guard", "script"]
