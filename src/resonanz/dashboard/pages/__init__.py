"""The pages, one file each: a visit in, an answer out."""
