"""PUBLISHING: one result of a load test or a test report: inputs, baselines, its page, destinations."""
