"""Prometheus and what speaks its API: the client, the queries of each convention, and how answers are read."""
