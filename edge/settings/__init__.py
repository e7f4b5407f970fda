"""Everything that `edge run` can be told, in one file or by flags."""
