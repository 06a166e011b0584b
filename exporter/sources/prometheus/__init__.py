"""Prometheus and servers with its API: options, the queries of each naming convention, and how results are read."""
