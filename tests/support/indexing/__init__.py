"""A real index on toy readers and encoders."""
