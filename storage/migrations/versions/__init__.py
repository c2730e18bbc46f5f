"""Every change of the schema since the first table, oldest first."""
