"""The worker process: handles facts, sends messages, sweeps what has fallen due."""
