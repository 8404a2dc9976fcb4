"""Questions about a user's own folder, made from its index, each with the one place that answers it."""
