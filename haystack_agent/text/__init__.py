"""Text as evidence: folding, terms, numbers, dates, languages."""
