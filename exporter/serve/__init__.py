"""SERVE: the running exporter: service, polling, check-ups, self-metrics and the HTTP server."""
