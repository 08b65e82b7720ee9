"""What leaves the server: snapshots as archives, tables and documents. No SQL, no HTTP."""
