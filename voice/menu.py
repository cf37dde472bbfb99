"""The keypad menu: calls that cannot be talked with still reach the same conversation, by keys, and always a person.

Spoken by the carrier's own voice, one webhook a step. A step has a number, so that a webhook that Twilio repeats is the
same turn and gets the same answer.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace

import structlog
from redis.exceptions import RedisError

from bot.switchboard import Door, Reply, Turn, TurnInProgress
from bot.switchboard.metrics import failures
from voice import metrics
from voice.design import Design, MenuItem
from voice.prompts import Speakable
from voice.question import Question
from voice.records import CallRecord, CallRecords
from voice.turn import spoken_turn
from voice.twiml import Documents

log = structlog.get_logger()

TURN_SECONDS = 10.0
"""Twilio waits 15 s for a webhook."""
_FAILED = ("system_failed", "system_failed_unkept", "system_busy", "system_no_reply")


class Menu:
    """Answers keys.

    Args:
        design: the menu, and how questions are answered.
        documents: writes TwiML.
        door: the switchboard.
        records: of calls.
        speakable: text to words; the carrier's voice reads them no better than ours.
        languages: that the menu is offered in.
    """

    def __init__(
        self,
        design: Design,
        documents: Documents,
        door: Door,
        records: CallRecords,
        speakable: Speakable,
        languages: tuple[str, ...] = ("en", "es"),
    ) -> None:
        self._design = design
        self._documents = documents
        self._door = door
        self._records = records
        self._speakable = speakable
        self._languages = languages

    async def open(self, record: CallRecord, *before: str) -> str:
        """The menu from its beginning.

        Args:
            record: of the call. Words that it was not told yet come first.
            before: texts to say ahead of the menu.
        """
        menu = self._design.menu
        said = [*before]
        if record.say:
            said.append(record.say)
            record.say = ""
        elif not record.noticed:
            said.insert(0, self._documents.text(menu.greeting, record))
        record.noticed = True
        record.next = "menu"
        metrics.calls.labels("menu").inc()
        if record.asking or record.titles:
            # The stream was lost in the middle of a question: keys answer it.
            question = Question.of(self._design, record.asking, tuple(record.titles), record.question)
            asked = self._speakable(record.question, record.language)
            return await self._put(record, question, said if asked in " ".join(said) else [*said, asked])
        return await self._main(record, said)

    async def pressed(self, record: CallRecord, at: str, step: int, digits: str) -> str:
        """What keys lead to.

        Args:
            record: of the call.
            at: which question they answer: "main", "dangers" or "question".
            step: of that question. An older one is a repeated webhook: its turn was answered, and is recalled.
            digits: that were pressed; "" for none.
        """
        menu = self._design.menu
        if at == "question":
            return await self._question(record, step, digits)
        items = menu.dangers if at == "dangers" else menu.main
        item = next((one for one in items if one.key == digits), None)
        if digits == self._design.keys.language and at == "main" and item is None:
            record.language = "en" if record.language == "es" else "es"
            return await self._main(record, [])
        if item is None:
            return await self._missed(record, at, digits)
        record.tries = 0
        if item.goes == "person":
            return await self.person(record)
        if item.goes == "dangers":
            return await self._ask(record, "dangers", self._lines(menu.dangers, record))
        text = item.text.get("es" if record.language == "es" else "en", "") if item.text else ""
        return await self._turn(record, step, text=text, command=item.command)

    async def person(self, record: CallRecord, *before: str) -> str:
        """Connect the call with a person."""
        record.next, record.by_keys = "person", True
        await self._records.save(record)
        return self._documents.person(record, *before, self._documents.text(self._design.menu.connecting, record))

    # -- inside

    async def _main(self, record: CallRecord, before: list[str]) -> str:
        menu = self._design.menu
        lines = self._lines(menu.main, record)
        other = "en" if record.language == "es" else "es"
        if other in self._languages:
            lines.append(self._documents.text(menu.other_language, replace(record, language=other)))
        return await self._ask(record, "main", lines, before)

    def _lines(self, items: tuple[MenuItem, ...], record: CallRecord) -> list[str]:
        return [item.says(record.language) for item in items]

    async def _ask(
        self, record: CallRecord, at: str, lines: list[str], before: list[str] | None = None, most: int | None = 1
    ) -> str:
        record.step += 1
        await self._records.save(record)
        return self._documents.keys(record, at, lines, before=before or [], most=most)

    async def _missed(self, record: CallRecord, at: str, digits: str) -> str:
        """Nothing, or nothing sensible, was pressed: again, and then a person; a menu must be no dead end."""
        menu = self._design.menu
        record.tries += 1
        sorry = self._documents.text(menu.wrong_key if digits else menu.nothing_pressed, record)
        if record.tries >= menu.tries:
            record.tries = 0
            return await self.person(record, sorry)
        if at == "dangers":
            return await self._ask(record, at, self._lines(menu.dangers, record), [sorry])
        return await self._main(record, [sorry])

    async def _question(self, record: CallRecord, step: int, digits: str) -> str:
        """Keys answer the dialogue's own question."""
        keys = self._design.keys
        if digits == keys.person:
            return await self._turn(record, step, command=keys.person_command)
        if digits.strip(keys.star) == "":
            if not digits:
                record.tries += 1
                if record.tries >= self._design.menu.tries:
                    record.tries = 0
                    return await self.person(record)
                question = Question.of(self._design, record.asking, tuple(record.titles), record.question)
                nothing = self._documents.text(self._design.menu.nothing_pressed, record)
                return await self._put(record, question, [nothing, self._speakable(record.question, record.language)])
            return await self._main(record, [])
        record.tries = 0
        return await self._turn(record, step, digits=digits.strip(keys.star))

    async def _turn(self, record: CallRecord, step: int, *, text: str = "", digits: str = "", command: str = "") -> str:
        turn = spoken_turn(
            record.conversation_id,
            f"{record.call_sid}.menu.{step}",
            phone=record.phone or None,
            language=record.language,
            text=text,
            digits=digits,
            command=command,
        )
        replies = await self._replies(turn)
        said = [self._speakable(reply.text, record.language) for reply in replies if reply.text]
        if any(reply.response in self._design.people.transfer_after for reply in replies):
            return await self.person(record, *said)
        if not said or any(reply.response in _FAILED for reply in replies):
            # What the dialogue says of a failure names a number to call; here we can do better.
            honest = [self._speakable(reply.text, record.language) for reply in replies if reply.source == "safety"]
            return await self.person(record, *honest, self._documents.text(self._design.menu.failed, record))
        titles = tuple(button.title for reply in replies for button in reply.buttons)
        asking = next((reply.asking for reply in reversed(replies) if reply.asking), "")
        record.asking, record.titles, record.question = asking, list(titles), said[-1]
        if asking or titles:
            return await self._put(record, Question.of(self._design, asking, titles, said[-1]), said)
        return await self._main(record, [*said, self._documents.text(self._design.menu.anything_else, record)])

    async def _put(self, record: CallRecord, question: Question, said: list[str]) -> str:
        """Ask the dialogue's question for keys."""
        menu, documents = self._design.menu, self._documents
        lines = [
            documents.text(menu.press, record, title=self._speakable(title, record.language), key=key)
            for key, title in enumerate(question.titles[:9], 1)
        ]
        numbers = question.expect.kind in ("place", "digits", "phone") and not question.titles
        if numbers:
            lines.append(documents.text(menu.number, record))
        elif not lines:
            # A question that only words can answer: the menu goes on with what keys can do.
            return await self._main(record, said)
        return await self._ask(record, "question", lines, said, most=None if numbers else 1)

    async def _replies(self, turn: Turn) -> list[Reply]:
        replies: list[Reply] = []
        try:
            async with asyncio.timeout(TURN_SECONDS):
                async with contextlib.aclosing(self._door.handle(turn)) as coming:
                    async for reply in coming:
                        replies.append(reply)
            return replies or list(await self._door.recall(turn))
        except (TimeoutError, TurnInProgress, RedisError) as error:
            log.warning("voice.menu_turn_unfinished", error=type(error).__name__)
        except Exception as error:  # the boundary of a turn: the caller gets a person, whatever broke
            failures.labels("voice_menu").inc()
            log.error("voice.menu_turn_failed", error=type(error).__name__, exc_info=error)
        return [reply for reply in replies if reply.source == "safety"]
