"""Evidence as the page shows it, and the media themselves."""
