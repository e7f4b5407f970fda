"""The edge: reads handwritten digits from cameras and pages with a TFLite model; needs no TensorFlow."""

__version__ = "0.1.0"
