"""What an index knows of files: the manifest, what changed, what was lost, and who may write."""
