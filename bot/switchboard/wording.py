"""What the gateway itself says when the dialogue cannot: short, true, and with a way on."""

from __future__ import annotations

from dataclasses import dataclass

from bot.switchboard.models import Channel
from integrations.base.utility import Utility

_TEXTS: dict[str, dict[str, str]] = {
    "failed": {
        "en": "Something on our side failed and I could not finish that. Your message was not lost: we keep it with "
        "this conversation. Please try again in a minute, or call {person} to speak with a person.",
        "es": "Algo falló de nuestro lado y no pude terminar. Su mensaje no se perdió: queda guardado con esta "
        "conversación. Intente de nuevo en un minuto, o llame al {person} para hablar con una persona.",
    },
    "failed_unkept": {
        "en": "Something on our side failed and I could not read that message. Please send it again in a minute, or "
        "call {person} to speak with a person.",
        "es": "Algo falló de nuestro lado y no pude leer ese mensaje. Envíelo de nuevo en un minuto, o llame al "
        "{person} para hablar con una persona.",
    },
    "no_reply": {
        "en": "I am sorry, I have no answer to that. You can put it another way, or call {person} to speak with a "
        "person.",
        "es": "Lo siento, no tengo respuesta a eso. Puede decirlo de otra manera, o llamar al {person} para hablar con "
        "una persona.",
    },
    "unreadable": {
        "en": "I could not read that. Please write it in words, for example: my power is out. To speak with a person, "
        "call {person}.",
        "es": "No pude leer eso. Escríbalo con palabras, por ejemplo: no tengo luz. Para hablar con una persona, llame "
        "al {person}.",
    },
    "picture": {
        "en": "Thank you for the picture. I cannot look at pictures yet, so please tell me in words what is wrong. If "
        "it shows a wire down, fire, or anything dangerous, stay away, call 911, then call us at {emergency}.",
        "es": "Gracias por la foto. Todavía no puedo ver fotos; dígame con palabras qué pasa. Si muestra un cable "
        "caído, fuego o algo peligroso, aléjese, llame al 911 y después a nosotros al {emergency}.",
    },
    "shortened": {
        "en": "That was a long message, so I read only the first {longest} characters of it.",
        "es": "El mensaje era muy largo; leí solo los primeros {longest} caracteres.",
    },
    "choice_gone": {
        "en": "That choice is no longer open. Please tell me in a few words what you need.",
        "es": "Esa opción ya no está disponible. Dígame en pocas palabras qué necesita.",
    },
    "emergency_person": {
        "en": "Your safety comes first. Once you are safe, call {emergency} to speak with a person at any hour.",
        "es": "Su seguridad es lo primero. Cuando esté a salvo, llame al {emergency} para hablar con una persona a "
        "cualquier hora.",
    },
    "stopped": {
        "en": "{utility}: you will get no more texts from us. Reply START to get them again. In an emergency call 911, "
        "then {emergency}.",
        "es": "{utility}: no recibirá más mensajes nuestros. Responda START para recibirlos de nuevo. En una "
        "emergencia llame al 911 y después al {emergency}.",
    },
    "started": {
        "en": "{utility}: you will get our texts again. Text OUT to report an outage, STAT for its status, HELP for "
        "help, STOP to stop.",
        "es": "{utility}: recibirá de nuevo nuestros mensajes. Envíe OUT para reportar un apagón, STAT para saber su "
        "estado, AYUDA para ayuda, ALTO para no recibir más.",
    },
    "help": {
        "en": "{utility} automated assistant. Tell me what is wrong in your own words, or text OUT to report an "
        "outage, STAT for its status, ON or OFF to say if power is back. Person: {person}. Gas smell or wire down: "
        "leave, call 911, then {emergency}. STOP to stop. Msg & data rates may apply.",
        "es": "Asistente automático de {utility}. Dígame con sus palabras qué pasa, o envíe OUT para reportar un "
        "apagón, STAT para saber su estado, ON u OFF para decir si volvió la luz. Persona: {person}. Olor a gas "
        "o cable caído: salga, llame al 911 y después al {emergency}. ALTO para no recibir más.",
    },
    "busy": {
        "en": "I am still working on your earlier messages, so I could not take this one. Please wait for my answer, "
        "or call {person}.",
        "es": "Todavía estoy trabajando en sus mensajes anteriores y no pude tomar este. Espere mi respuesta, o llame "
        "al {person}.",
    },
}

_SPOKEN: dict[str, dict[str, str]] = {
    # On the telephone nothing is written, and a person is a key away.
    "failed": {
        "en": "Something on our side failed, and I could not finish that. What you said is kept. Please try again in a "
        "minute, or press zero for a person.",
        "es": "Algo falló de nuestro lado y no pude terminar. Lo que dijo queda guardado. Intente de nuevo en un "
        "minuto, u oprima cero para una persona.",
    },
    "failed_unkept": {
        "en": "Something on our side failed, and I lost what you said. Please say it again in a minute, or press zero "
        "for a person.",
        "es": "Algo falló de nuestro lado y no recibí lo que dijo. Dígalo de nuevo en un minuto, u oprima cero para "
        "una persona.",
    },
    "no_reply": {
        "en": "I am sorry, I have no answer to that. You can put it another way, or press zero for a person.",
        "es": "Lo siento, no tengo respuesta a eso. Puede decirlo de otra manera, u oprimir cero para una persona.",
    },
    "unreadable": {
        "en": "I did not understand that. Tell me in a few words, for example: my power is out. For a person, press "
        "zero.",
        "es": "No entendí eso. Dígalo con pocas palabras, por ejemplo: no tengo luz. Para una persona, oprima cero.",
    },
    "shortened": {
        "en": "That was long, and I followed only the first part of it.",
        "es": "Fue muy largo, y solo seguí la primera parte.",
    },
    "busy": {
        "en": "I am still working on what you said before. Please wait for my answer, or press zero for a person.",
        "es": "Todavía estoy con lo que dijo antes. Espere mi respuesta, u oprima cero para una persona.",
    },
}


@dataclass(frozen=True, slots=True)
class Wording:
    """The gateway's own sentences.

    Attributes:
        person: the number of a person in office hours, as customers dial it.
        emergency: the emergency line, likewise.
        utility: the name that customers know.
    """

    person: str
    emergency: str
    utility: str = ""

    @classmethod
    def of(cls, facts: Utility) -> Wording:
        """With the numbers of `data/utility.yml`."""
        return cls(facts.human_phone, facts.emergency_phone, facts.utility)

    def say(self, name: str, language: str = "en", channel: Channel = "web", **values: object) -> str:
        """A sentence by its name, in the customer's language or else in English, worded for the channel.

        Raises:
            KeyError: there is no such sentence.
        """
        texts = _SPOKEN.get(name, _TEXTS[name]) if channel == "voice" else _TEXTS[name]
        text = texts.get(language, texts["en"])
        return text.format(person=self.person, emergency=self.emergency, utility=self.utility, **values)
