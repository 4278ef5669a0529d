"""Stand-ins of outside systems, programs of their own: they know nothing of the product."""
