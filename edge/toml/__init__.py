"""TOML files taken key by key, every mistake told with its line."""
