"""SLO: specs of several formats -> rules; status reads back what the rules record."""
