"""What each side of a call recorded of itself: pieces of a few seconds, sent while the visit goes on."""
