"""The commands: thin; they parse, call one function, print."""
