"""From pixels to readings: a digit, a number, a page."""
