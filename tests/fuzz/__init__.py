"""Coverage-guided fuzzing of the letter."""
