"""Numbers with the nouns that go with them."""


def counted(number: int, nouns: str) -> str:
    """A number with its noun: `counted(6, "reply,replies")` is "6 replies", and one is "1 reply".
    In templates it is the filter `count`."""
    one, many = nouns.split(",")
    return f"{number:,} {one if number == 1 else many}"
