"""What stands in a form's boxes: cells to values that satisfy their rules."""
