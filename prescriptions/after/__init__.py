"""After the medicine has arrived: reminders, the end of the course, adverse reactions."""
