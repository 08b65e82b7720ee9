"""All SQL, one file per aggregate. Functions take a session, return records, never commit."""
