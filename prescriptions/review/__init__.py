"""A pharmacist looks at every signed prescription before it counts (审方): accepts it or sends it back with reasons."""
