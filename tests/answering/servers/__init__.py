"""Real servers of models, and hostile ones."""
