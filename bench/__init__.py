"""Benchmarks that print a figure and its comparison from the same run; never part of the tests."""
