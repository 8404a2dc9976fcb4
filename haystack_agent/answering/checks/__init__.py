"""What stands between files, a model and a person: marks, citations and doubts."""
