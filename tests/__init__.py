"""Tests mirror the tree they test; shared builders live beside this file."""
