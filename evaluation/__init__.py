"""Cells, task lists and a published method become quarterly scorecards. Pure."""
