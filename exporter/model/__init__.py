"""Records: frozen dataclasses with no behaviour beyond derived properties."""
