"""How fast Minyi is, each time beside something that everybody knows, measured in the same run."""
