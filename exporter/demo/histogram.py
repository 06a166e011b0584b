"""The latency histogram of the made-up shop: how many requests each bucket counts."""

from __future__ import annotations

import math

import numpy as np

from exporter.demo.noise import Floats
from exporter.demo.traffic import LATENCY_MEAN, LATENCY_SHAPE, ShopTraffic

BOUNDS = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0, math.inf)
"""Upper bounds in seconds, as an application would configure them."""


def bucket_rate(traffic: ShopTraffic, bound: float) -> Floats:
    """Requests/s that take at most `bound` seconds, for each minute."""
    if math.isinf(bound):
        return traffic.requests
    below: Floats = traffic.requests / (1.0 + (traffic.latency / bound) ** LATENCY_SHAPE)
    return below


def sum_rate(traffic: ShopTraffic) -> Floats:
    """Seconds of latency added per second, for each minute."""
    total: Floats = traffic.requests * traffic.latency * LATENCY_MEAN
    return total


def totals(traffic: ShopTraffic) -> tuple[list[float], float, float]:
    """Cumulative buckets, sum in seconds and count of requests over all the minutes."""
    buckets = [float(np.sum(bucket_rate(traffic, bound))) * 60.0 for bound in BOUNDS]
    return buckets, float(np.sum(sum_rate(traffic))) * 60.0, float(np.sum(traffic.requests)) * 60.0
