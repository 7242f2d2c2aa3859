"""Counts without names over too few people would name somebody."""

from resonanz.people import hides_in_group


def test_five_are_enough_to_hide_in() -> None:
    """From five recipients on, and not before."""
    assert [size for size in range(8) if hides_in_group(size)] == [5, 6, 7]
