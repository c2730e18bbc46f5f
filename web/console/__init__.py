"""The administrators' desk in a browser: pages for accounts, each behind one permission."""
