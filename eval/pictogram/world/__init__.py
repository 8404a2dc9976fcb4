"""What the experiment shows and says: concepts, pictures, captions."""
