"""Tasks in a real browser."""
