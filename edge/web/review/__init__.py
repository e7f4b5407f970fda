"""The review of a job in the browser: one value after the other, or all sevens at once."""
