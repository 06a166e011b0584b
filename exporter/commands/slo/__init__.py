"""`pte-exporter slo`: the state of error budgets, from Prometheus."""
