"""What scripts/bench measures, by subject."""
