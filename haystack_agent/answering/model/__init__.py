"""Language models: chosen, asked what they are, called, and their failures sorted."""
