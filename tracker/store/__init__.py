"""Tables and every query, on SQLite and PostgreSQL."""
