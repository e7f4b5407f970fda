"""A form before it is read: template, blank PDF, check over a scan."""
