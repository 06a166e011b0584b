"""Baselines: runs saved by name, that later runs are compared with. What a pipeline gates on."""
