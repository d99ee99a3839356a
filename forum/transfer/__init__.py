"""From files to debates: reads and checks them; forum.transfer.loading writes the rows."""


class Rejected(ValueError):
    """A file that cannot be taken as it is; nothing was written. The message is a sentence that
    names the file and the line or object."""
