"""The networks and their weights: no settings, no method."""
