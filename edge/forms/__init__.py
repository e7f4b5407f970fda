"""Scanned forms: a template's geometry, registration of a page with it, and its values."""
