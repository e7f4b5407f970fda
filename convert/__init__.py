"""The workstation's converter: a Keras run becomes TFLite files, and parity proves that nothing was lost."""
