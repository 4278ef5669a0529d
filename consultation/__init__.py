"""The visit: what parents send for it beforehand."""
