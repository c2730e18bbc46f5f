"""Campaigns from a wish as typed to where they stand: rules in words, warnings, approval."""
