"""The database: tables, sessions, migrations. May import config values and errors only."""
