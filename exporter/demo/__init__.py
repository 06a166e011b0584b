"""A made-up shop whose every value follows from (seed, time) alone: nothing is stored, any moment can be asked for."""
