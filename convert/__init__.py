"""The converter: Keras to TFLite, and the proof that nothing was lost."""
