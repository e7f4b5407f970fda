"""Pages on this machine: the camera's preview and figures, the review of forms."""
