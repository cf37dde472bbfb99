"""Porchlight's own commands; the Makefile's targets call them.

``python -m bot.cli run | train [--force] | chat [--phone ...] | call [--phone ...] [--say "..."] [--file ...]``
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import uuid
from pathlib import Path
from typing import Any

import httpx
import websockets
from rich.console import Console

from bot import terminal_call
from bot.processes import house, training
from integrations.base.settings import SettingsError, get_settings


async def chat(url: str, phone: str) -> int:
    """Talk to the running assistant in the terminal, by the web chat's own socket.

    Args:
        url: the gateway's address.
        phone: in the sandbox, the demo customer to be; empty for nobody in particular.
    """
    console = Console()
    token = ""
    async with httpx.AsyncClient(timeout=5.0) as client:
        try:
            if phone:
                answer = await client.post(f"{url}/sandbox-login", json={"phone": phone})
                answer.raise_for_status()
                token = str(answer.json().get("token") or "")
            session = await client.post(f"{url}/chat/session", json={"customer": token} if token else {})
            session.raise_for_status()
            ticket = str(session.json()["session"])
        except httpx.HTTPError as error:
            console.print(f"Nobody answers at {url} ({type(error).__name__}). Start it with: make run")
            return 1
    address = url.replace("http", "ws", 1) + f"/chat/ws?session={ticket}"
    async with websockets.connect(address) as socket:
        console.print("Type to talk, an empty line or Ctrl-D to leave.")
        reader = asyncio.create_task(_print_replies(socket, console))
        while True:
            try:
                line = await asyncio.to_thread(input)
            except EOFError:
                break
            if not line.strip():
                break
            await socket.send(json.dumps({"type": "user", "text": line, "id": uuid.uuid4().hex}))
        reader.cancel()
    return 0


async def _print_replies(socket: Any, console: Console) -> None:
    async for raw in socket:
        message = json.loads(raw)
        if message.get("type") in ("bot", "agent") and message.get("text"):
            console.print(f"[bold]{message['text']}[/bold]")
            for number, button in enumerate(message.get("buttons") or [], start=1):
                console.print(f"   {number}  {button['title']}")


def main() -> int:
    """Parse the command line and do it."""
    parser = argparse.ArgumentParser(prog="porchlight", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="start everything")
    train = commands.add_parser("train", help="train the assistant if its data changed")
    train.add_argument("--force", action="store_true", help="even if nothing changed")
    talk = commands.add_parser("chat", help="talk in the terminal")
    talk.add_argument("--phone", default="", help="a demo customer's number, from /sandbox/customers")
    phone = commands.add_parser("call", help="call the running assistant, with spoken words or a sound file")
    phone.add_argument("--phone", default="", help="the number to call from, from /sandbox/customers")
    phone.add_argument(
        "--say", default="", help='lines with | between them; "+1.5 words" interrupts, "keys:1#" presses'
    )
    phone.add_argument("--file", default="", help="a WAV file to be played as the first line")
    phone.add_argument("--out", type=Path, help="where the recording goes")
    options = parser.parse_args()
    try:
        settings = get_settings()
        if options.command == "run":
            return house.run()
        if options.command == "train":
            if options.force or not training.is_trained():
                training.train()
            else:
                print("The assistant is up to date")
            return 0
        if options.command == "call":
            try:
                lines = terminal_call.script(options.say, options.file)
            except ValueError as error:
                parser.error(str(error))
            return asyncio.run(terminal_call.call(settings, options.phone, lines, options.out))
        return asyncio.run(chat(f"http://localhost:{settings.port}", options.phone))
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
