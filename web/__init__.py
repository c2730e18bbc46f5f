"""Browser: the citizens' chat and the public board."""
