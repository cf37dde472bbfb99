"""Rasa's own command line, with our seams in place: ``python -m bot.core.launcher train|run|test|data ...``."""

from __future__ import annotations

import logging
import os
import sys

# One thread a library: a turn is small, and two threads of BLAS fight over the same two cores (18.2 became 11.5 CPU-
# ms a turn).
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")
os.environ.setdefault("SQLALCHEMY_SILENCE_UBER_WARNING", "1")
os.environ.setdefault("LOG_LEVEL_LIBRARIES", "ERROR")


def main() -> None:
    """Run Rasa's command line without TensorFlow and with the speed fixes."""
    from bot.core import without_tensorflow

    without_tensorflow.prepare()
    from bot.core import failures, joining, speed

    speed.apply()
    failures.apply()
    joining.apply()
    import rasa.__main__

    logging.captureWarnings(True)
    sys.argv[0] = "rasa"
    rasa.__main__.main()


if __name__ == "__main__":
    main()
