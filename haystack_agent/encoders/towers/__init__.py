"""Networks that make vectors of texts and pictures."""
