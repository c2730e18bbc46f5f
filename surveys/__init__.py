"""What is asked, of whom and when; the ballot box; what may leave. Pure: no framework."""
