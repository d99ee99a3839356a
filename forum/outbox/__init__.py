"""What is done after the answer: the backend that keeps it as rows, and the worker that does it."""
