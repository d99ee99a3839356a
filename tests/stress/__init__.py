"""Hours of random acts, kills and restarts, by one command: `python3 dev.py stress`."""
