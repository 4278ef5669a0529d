"""How long what is known of a child is kept, its removal with proof, and the whole of it given out."""
