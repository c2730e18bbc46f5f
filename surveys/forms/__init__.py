"""A questionnaire version: its tree, where it comes from, what is wrong with it."""
