"""PUBLISHING: one result of a load test or a test execution: inputs, baselines, its page, destinations."""
