"""The end by SIGTERM, as long as nothing else takes care of it."""

from __future__ import annotations

import os
import signal


def end_at_sigterm(code: int) -> None:
    """End with that exit code.

    A process 1 is sent no signal that it has no handler for, so that without this it could not be ended early.
    """
    signal.signal(signal.SIGTERM, lambda *_: os._exit(code))
