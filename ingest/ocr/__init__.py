"""Text out of pictures: recognised, spaced and put in order."""
