"""Resonanz: self-hosted e-mail tracking that weighs evidence instead of counting hits."""

__version__ = "0.1.0"
