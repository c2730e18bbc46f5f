"""Cells + task list + a published method -> quarterly scorecards. Pure."""
