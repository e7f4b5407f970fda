"""The camera loop: newest frame, steady readings."""
