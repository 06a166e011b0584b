"""Noise from (seed, stream, index) alone: every minute can be computed without the previous one.

The bits come from splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014).
"""

from __future__ import annotations

import zlib

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
MinuteNumbers = npt.NDArray[np.int64]

_GAMMA = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1


def uniform(seed: int, stream: str, index: MinuteNumbers) -> Floats:
    """Independent values in -1..1, one for each index; different streams are uncorrelated."""
    start = (seed * _GAMMA + zlib.crc32(stream.encode()) * 0xD1B54A32D192ED03) & _MASK
    # A generator that counts: its state is a multiple of the golden ratio, so any index can be computed alone.
    bits = index.astype(np.uint64) * np.uint64(_GAMMA) + np.uint64(start)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    bits ^= bits >> np.uint64(31)
    # The upper 53 bits, as many as a float holds.
    return (bits >> np.uint64(11)).astype(np.float64) * (2.0 / (1 << 53)) - 1.0


def smooth(seed: int, stream: str, minutes: MinuteNumbers, step: int) -> Floats:
    """Values in -1..1 that wander: independent every `step` minutes, joined by straight lines."""
    block, inside = np.divmod(minutes, step)
    start = uniform(seed, stream, block)
    end = uniform(seed, stream, block + 1)
    joined: Floats = start + (end - start) * (inside / step)
    return joined
