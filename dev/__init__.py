"""Working on the project: set-up, embedded servers and the supervisor behind ``make run``. Knows no product code."""
