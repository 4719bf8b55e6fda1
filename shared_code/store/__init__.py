"""The SQLAlchemy data layer: tables, sessions, the write path and the read path."""
