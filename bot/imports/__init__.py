"""Imports of files: reading CSV and mappings, rejects and reports. What becomes of the rows is decided in services."""
