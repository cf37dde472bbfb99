"""Try the guard: ``python -m bot.safety "I smell gas"``; without a text it reads lines from standard input."""

from __future__ import annotations

import argparse
import sys
import time

from bot.safety import get_guard, script
from bot.safety.lexicon import LexiconError
from bot.safety.scripts import ScriptsError


def show(text: str, channel: str, with_concepts: bool) -> None:
    """Print what the guard makes of one message."""
    guard = get_guard()
    began = time.perf_counter()
    found = guard.check(text)
    took = (time.perf_counter() - began) * 1000
    if found is None:
        print(f"no emergency ({took:.2f} ms)")
    else:
        print(f"{found.kind}  {found.confidence:.2f}  {found.language}  rule {found.reason}  ({took:.2f} ms)")
        print(f"  says: {script(found.kind, channel, found.language)}")
    for finding in guard.explain(text):
        print(f"  {finding.rule.name:28} {finding.rule.sure:.2f}  on: {finding.words}")
    if with_concepts or found is None:
        for name, words in guard.concepts(text).items():
            print(f"  {name:28} {', '.join(words)}")


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m bot.safety", description="Explain what the emergency guard makes of a message."
    )
    parser.add_argument("text", nargs="*", help="the message; none reads lines from standard input")
    parser.add_argument("--channel", default="web", choices=("web", "sms", "voice"))
    parser.add_argument("--concepts", action="store_true", help="show every concept, also when a rule fired")
    arguments = parser.parse_args()
    try:
        if arguments.text:
            show(" ".join(arguments.text), arguments.channel, arguments.concepts)
        else:
            for line in sys.stdin:
                print(f"> {line.strip()}")
                show(line, arguments.channel, arguments.concepts)
    except (LexiconError, ScriptsError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
