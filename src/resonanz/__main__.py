"""`python -m resonanz` is `resonanz`."""

from resonanz.app.cli import main

main()
