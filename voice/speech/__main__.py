"""The speech process: ``python -m voice.speech``. It listens on loopback and knows nothing of conversations."""

from __future__ import annotations

import os


def main() -> None:
    """Set what libraries read as they are imported, and run."""
    # Each worker is one thread; a team of threads for every small matrix only takes the cores from the other workers.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    from voice.speech import process

    process.main()


if __name__ == "__main__":
    main()
