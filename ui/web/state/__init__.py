"""What the page keeps between requests."""
