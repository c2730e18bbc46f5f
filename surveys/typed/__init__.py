"""Typed words to answers: numbers, dates, choices, as people write them in Chinese and English."""
