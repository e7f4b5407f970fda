"""How well a job was read: report against the truth, and a page with its readings drawn on it."""
