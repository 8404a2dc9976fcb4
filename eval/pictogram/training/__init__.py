"""Trains the encoders and the heads of the experiment."""
