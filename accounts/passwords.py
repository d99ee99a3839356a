"""What is short enough to be hashed as a password. What may be one: accounts.password_validator."""

# Hashing takes longer the longer a password is; nobody types or keeps as many characters as this.
LONGEST = 4_096


def is_too_long(password: str) -> bool:
    """Whether `password` cannot be anybody's, so that it need not be hashed to be refused."""
    return len(password) > LONGEST
