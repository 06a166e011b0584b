"""CLIENTS: the network clients that sources and commands share."""
