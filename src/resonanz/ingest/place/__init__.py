"""Where an address is: the country from a table in the box, region and city from databases the operator points to."""

from resonanz.ingest.place.lookup import Places

__all__ = ["Places"]
