"""Words of many languages and their English names."""
