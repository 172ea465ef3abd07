"""The edges to git: what a repository says of itself, and an overlay to read its objects in."""
