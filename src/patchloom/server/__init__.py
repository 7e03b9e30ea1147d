"""The page to paint on and the HTTP API behind it."""
