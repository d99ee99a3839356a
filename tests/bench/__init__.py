"""The benchmark: `python3 dev.py bench`. Never part of the tests; see docs/performance.md."""

# The address of the page that all others are measured against.
REFERENCE = "/__reference/"
