"""SLO: specs of several formats -> rules; status reads the series that the rules record."""
