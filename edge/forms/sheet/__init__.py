"""Where a form lies on a page: marks, code, frame or features to a map from millimetres to pixels."""
