"""Documents with pages: text layers, scans, their layout and sections."""
