"""From pixels to ink, from ink to glyphs, from glyphs to tensors."""
