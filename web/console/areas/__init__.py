"""One module for each part of the desk; each lists its doors."""
