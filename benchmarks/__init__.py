"""The proof of performance claims: each file measures both sides of its ratios in the same run (`make bench`)."""
