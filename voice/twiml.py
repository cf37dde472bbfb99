"""The documents that a call follows, by Twilio's own library (https://www.twilio.com/docs/voice/twiml)."""

from __future__ import annotations

from urllib.parse import urlencode

from twilio.twiml.voice_response import Connect, Dial, Gather, VoiceResponse

from bot.identity.tokens import Tokens
from integrations.base.phones import to_e164
from integrations.base.settings import Settings
from integrations.base.utility import Utility
from voice.design import Design, Sentence
from voice.prompts import Prompts
from voice.records import CallRecord

NEXT = "/twilio/voice/next"
DIALLED = "/twilio/voice/dialled"
MENU = "/twilio/voice/menu"
MEDIA = "/twilio/media"
KEY_SECONDS = 6
NUMBER_SECONDS = 8


class Documents:
    """Writes them.

    Args:
        settings: PUBLIC_URL, VOICE_TRANSFER_NUMBER.
        utility: its names and numbers.
        design: the menu's words.
        prompts: fills them in.
        tokens: for the media socket.
    """

    def __init__(self, settings: Settings, utility: Utility, design: Design, prompts: Prompts, tokens: Tokens) -> None:
        self._public = settings.public_url
        self._person = settings.voice_transfer_number or to_e164(utility.human_phone) or utility.human_phone
        self._menu = design.menu
        self._ring = design.people.ring_seconds
        self._prompts = prompts
        self._tokens = tokens

    def stream(self, record: CallRecord, resume: str = "") -> str:
        """Talk with us. When the stream ends, however it ends, Twilio goes on to ask what comes next.

        Args:
            record: of the call.
            resume: why it begins again; "" for a new call.
        """
        document = VoiceResponse()
        connect = Connect()
        socket = self._public.replace("http", "ws", 1)
        stream = connect.stream(url=f"{socket}{MEDIA}/{self._tokens.sign_media(record.call_sid)}")
        if resume:
            stream.parameter(name="resume", value=resume)
        document.append(connect)
        document.redirect(f"{self._public}{NEXT}", method="POST")
        return str(document)

    def person(self, record: CallRecord, *before: str) -> str:
        """Connect the call with a person; when nobody answers, it comes back.

        Args:
            record: of the call.
            before: texts to say first.
        """
        document = VoiceResponse()
        self._say(document, record, before)
        dial = Dial(action=f"{self._public}{DIALLED}", method="POST", timeout=self._ring, answer_on_bridge=True)
        dial.number(self._person)
        document.append(dial)
        return str(document)

    def keys(self, record: CallRecord, at: str, lines: list[str], *, before: list[str], most: int | None = 1) -> str:
        """Ask for keys.

        Args:
            record: of the call; its step names the question, so that a repeated webhook is known as one.
            at: which question it is.
            lines: what the keys mean; pressing one ends them.
            before: texts to say first.
            most: how many keys; None for a number that the pound key ends.
        """
        document = VoiceResponse()
        self._say(document, record, before)
        action = f"{self._public}{MENU}?{urlencode({'at': at, 'step': record.step})}"
        gather = Gather(
            input="dtmf",
            action=action,
            method="POST",
            timeout=NUMBER_SECONDS if most is None else KEY_SECONDS,
            finish_on_key="#" if most is None else "",
            **({"num_digits": most} if most else {}),
        )
        self._say(gather, record, lines)
        document.append(gather)
        # Reached only when nothing was pressed.
        document.redirect(action, method="POST")
        return str(document)

    def goodbye(self, record: CallRecord, *texts: str) -> str:
        """Say this and hang up."""
        document = VoiceResponse()
        self._say(document, record, texts)
        document.hangup()
        return str(document)

    def fallback(self) -> str:
        """The document for Twilio's fallback address: needs nothing of ours, and no call's record.

        It may as well be kept at Twilio (a TwiML Bin), where it is heard even when we cannot be reached at all.
        """
        document = VoiceResponse()
        document.say(self._prompts.fill(self._menu.fallback), language="en-US")
        dial = Dial(timeout=self._ring, answer_on_bridge=True)
        dial.number(self._person)
        document.append(dial)
        document.say(self._prompts.fill(self._menu.fallback_nobody), language="en-US")
        return str(document)

    def text(self, sentence: Sentence, record: CallRecord, **values: object) -> str:
        """A sentence of the menu in the call's language."""
        words = sentence["es"] if record.language == "es" else sentence["en"]
        return self._prompts.fill(words.format_map(_Kept(values)))

    def _say(self, parent: VoiceResponse | Gather, record: CallRecord, texts: list[str] | tuple[str, ...]) -> None:
        language = self._menu.languages["es" if record.language == "es" else "en"]
        for text in texts:
            if text.strip():
                parent.say(text[:3_000], language=language)


class _Kept(dict[str, object]):
    """Leaves words in braces that it has no value for to the next hand."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"
