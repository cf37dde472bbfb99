"""What `/metrics` shows of conversations. Labels are constants; nothing of a customer is one."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2.5, 5, 10, 20)

turns = Counter("porchlight_turns_total", "Turns, by how they ended", ("channel", "outcome"))
stages = Histogram("porchlight_stage_seconds", "Time in a stage of a turn", ("stage",), buckets=_SECONDS)
failures = Counter("porchlight_failures_total", "Things that failed, by what", ("what",))
emergencies = Counter("porchlight_emergencies_total", "Emergencies that the guard caught", ("kind", "channel"))
running = Gauge("porchlight_turns_running", "Turns being answered now")
queue_depth = Gauge("porchlight_queue_depth", "Entries that wait in a queue", ("queue",))
