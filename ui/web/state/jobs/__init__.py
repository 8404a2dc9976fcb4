"""What a server does in the background, watched and stopped from the page."""
