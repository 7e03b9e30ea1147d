"""Pure functions of tensors and arrays: no settings, no files, no networks."""
