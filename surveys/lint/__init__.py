"""What an author is told about a questionnaire, row by row."""
