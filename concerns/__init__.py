"""A concern from its first word to its remedy: a case with two sides. Pure."""
