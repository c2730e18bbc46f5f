"""Files that people hand over: told by their content, stripped of where they were made, sealed."""
