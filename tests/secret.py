"""A secret that no log and no message may hold."""

SECRET = "swordfish-3141592653"
