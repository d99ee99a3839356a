"""All that the forum keeps of one member, given to that member as a file."""
