"""The workstation's converter: a Keras run becomes TFLite files with manifests, and parity proves that nothing was lost."""
