"""What performance claims rest on: each file measures both sides of its ratios in the same run (`make bench`)."""
