"""Who is let in at the page, and what a request must be like."""
