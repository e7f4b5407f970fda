"""The files of the pages as browsers get them: nothing is built, nothing comes from elsewhere."""
