"""What is shown in a terminal, and opened from it."""
