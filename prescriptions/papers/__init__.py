"""What a signed prescription looks like: in words on a page, and as the paediatric form on paper."""
