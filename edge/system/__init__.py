"""What is wrong with this machine, and how fast is it."""
