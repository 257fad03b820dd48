"""The database: tables, repositories, unit of work, wake-ups and migrations."""
