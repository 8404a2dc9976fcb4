"""Answers without a language model: a quotation, or an abstention."""
