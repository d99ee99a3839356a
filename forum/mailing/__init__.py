"""Mail about notices: when it is due, what is in it, that it goes out once, and how it is stopped.
Stands below the acts, so that what tells a member can also queue the mail."""
