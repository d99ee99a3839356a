"""The two commands of README on machines that have nothing but Debian's Python."""
