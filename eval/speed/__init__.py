"""How fast, as ratios to bare calls."""
