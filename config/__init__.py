"""The ground: settings, policy, database, jobs, clock, errors, text and the hospital's own data files."""
