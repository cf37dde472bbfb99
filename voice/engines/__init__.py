"""Speech engines behind the protocols of `voice.protocols`, one module an engine."""
