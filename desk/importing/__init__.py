"""Tables brought in: a sheet read, its rows understood, compared with what is stored, written."""
