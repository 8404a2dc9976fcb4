"""How faithfully the text of a paged document is read."""
