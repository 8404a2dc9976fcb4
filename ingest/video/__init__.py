"""Videos: frames, shots, text on screen, subtitles."""
