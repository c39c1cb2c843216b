"""The tests of graphkit."""
