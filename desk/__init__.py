"""What administrators do: who they are, what they may, what they did. Pure: no framework."""
