"""Tables of pages: ruled ones and such as are only aligned."""
