"""Where frames and pages come from."""
