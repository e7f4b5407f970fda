"""From tensors to predictions: runtime, manifest, classifier."""
