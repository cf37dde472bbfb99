"""What must not be lost, in a database: SQLite by default, PostgreSQL by DATABASE_URL."""
