"""SLO: the state of objectives now, read from the series that their rules record."""
