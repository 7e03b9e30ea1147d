"""Things put into a photograph, in the light of what is around them."""
