"""What is said in the room of a visit: the chat, the call's signals, the link into the phone's own browser."""
