"""Where facts come from: one module per source, each turning foreign input into events."""
