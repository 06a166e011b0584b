"""pte-exporter: does the certification still hold, and how much error budget is left?"""

__version__ = "0.1.0"
