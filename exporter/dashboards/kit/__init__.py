"""KIT: what boards are made of, and nothing about any one board."""
