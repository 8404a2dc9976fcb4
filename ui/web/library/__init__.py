"""What is indexed and what can be, in the page."""
