"""Archives: all rows of the forum, and the files of its pictures, in one file that either database
can be made from again.

An archive is compressed JSON lines: a head (format, when, of which server, migrations), then each
table with its columns, its rows and their sum, then an end with the counters of ids, and last the
sum of the file itself. Values stand as SQLite keeps them (0 and 1, times in UTC, JSON as text in
one spelling), which PostgreSQL reads as well. All is read in one snapshot, so people go on writing;
nothing is held in memory.

The sum of a table does not depend on the order of its rows, so that the same can be asked of the
database that was made from it.
"""

from .reading import describe
from .restoring import restore
from .snapshot import Unusable, sums
from .writing import write

__all__ = ["Unusable", "describe", "restore", "sums", "write"]
