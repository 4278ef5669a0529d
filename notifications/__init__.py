"""What is said to whom: the event table, the message catalogue, the life of each notification, the Channel port."""
