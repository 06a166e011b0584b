"""CLIENTS: what we talk to over the network, as the sources and commands share it."""
