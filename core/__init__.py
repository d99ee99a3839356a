"""What both apps stand on and no forum is needed for: it has no tables of its own."""
