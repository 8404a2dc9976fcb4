"""The evaluation of an index, in the page."""
