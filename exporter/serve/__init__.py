"""SERVE: the running exporter: service, polling, check-ups, its own metrics and the HTTP server."""
