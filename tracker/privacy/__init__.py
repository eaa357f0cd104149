"""Consent decisions, the log's chain, keys and the data map; strangers to the store."""
