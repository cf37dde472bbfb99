"""What the speech process counts, for /metrics and /healthz."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.45, 0.7, 1.0, 1.5, 2.5, 5.0, 10.0)


class Metrics:
    """Its own registry, so that a test can have many."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)  # memory and CPU of the process
        self.requests = Counter("speech_requests", "By kind and outcome", ["ask", "outcome"], registry=self.registry)
        self.waiting = Histogram(
            "speech_waiting_seconds", "From a request to the start of its work", ["ask"],
            buckets=_SECONDS, registry=self.registry,
        )  # fmt: skip
        self.working = Histogram(
            "speech_working_seconds", "Of one piece of work", ["ask"], buckets=_SECONDS, registry=self.registry
        )
        self.audio = Counter("speech_audio_seconds", "Of sound heard and made", ["ask"], registry=self.registry)
        self.batch = Histogram(
            "speech_batch_utterances", "Recognised together", buckets=(1, 2, 3, 4, 6, 8), registry=self.registry
        )
        self.quick = Counter("speech_quick_batches", "Recognised with the shorter window", registry=self.registry)
        self.nothing = Counter("speech_nothing_heard", "Utterances without believable words", registry=self.registry)
        self.cached = Counter("speech_cached_sentences", "Spoken from the cache", registry=self.registry)
        self.calls = Gauge("speech_calls", "Admitted now", registry=self.registry)
        self.refused_calls = Counter("speech_refused_calls", "Because the process was full", registry=self.registry)
        self.gateways = Gauge("speech_gateways", "Connections", registry=self.registry)

    def exposition(self) -> bytes:
        """In Prometheus's text format."""
        return generate_latest(self.registry)
