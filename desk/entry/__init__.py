"""Coming in: passwords, second factors, links, sessions, and who holds which role."""
