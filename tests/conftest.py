"""What holds for all tests."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# No test is about how long an example takes, and on a busy machine each takes longer.
settings.register_profile("suite", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")
