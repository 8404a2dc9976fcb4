"""What is taken from pixels alone: colours, sizes, places of photos."""
