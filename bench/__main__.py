"""Runs all benchmarks: ``.venv/bin/python -m bench [--quick] [--write] [topic ...]``; `make bench` adds ``--write``.

Each runs in a process of its own, one after the other. With ``--write`` the results go to docs/bench: a JSON file a
topic, the confusion picture, and README.md with all tables. The first full run also trains what it compares with (stock
Rasa's DIET on three sets, an encoder on two) and takes hours; what was trained is kept in .cache/bench.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

from bench.environments import ROOT, core_python
from bench.report import ORDER

IN_CORE = ("understanding",)
"""These run in the dialogue core's Python."""


def main() -> int:
    """Run them; the exit code says whether all ran, not whether all bars were met."""
    options = [word for word in sys.argv[1:] if word.startswith("--")]
    topics = [word for word in sys.argv[1:] if not word.startswith("--")] or list(ORDER)
    unknown = sorted(set(topics) - set(ORDER))
    if unknown:
        print(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(ORDER)}", file=sys.stderr)
        return 2
    failed = []
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    for topic in topics:
        python = str(core_python()) if topic in IN_CORE else sys.executable
        began = time.monotonic()
        print(f"[bench] {topic}", file=sys.stderr, flush=True)
        commands = [[python, "-m", f"bench.{topic}", *options]]
        if topic == "understanding" and "--write" in options:
            commands.append([sys.executable, "-m", "bench.picture"])
        if any(subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode for command in commands):
            failed.append(topic)
        print(f"[bench] {topic}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    if failed:
        print(f"did not run to the end: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
