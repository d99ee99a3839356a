"""Options that several commands have."""

from argparse import ArgumentParser, ArgumentTypeError

MOST_JOBS = 64


def add_jobs(parser: ArgumentParser, what: str) -> None:
    """The option --jobs: how many processes do `what`."""
    parser.add_argument(
        "--jobs", type=_jobs, default=1, metavar="N", help=f"so many processes at once {what}"
    )


def _jobs(value: str) -> int:
    if not value.isdecimal() or not 1 <= int(value) <= MOST_JOBS:
        raise ArgumentTypeError(f"a whole number from 1 to {MOST_JOBS}")
    return int(value)
