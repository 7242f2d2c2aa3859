"""The public door for those who get our mail: pixels, links, unsubscribing. It needs its keys and its journal only."""
