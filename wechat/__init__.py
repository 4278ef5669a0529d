"""Everything spoken with the WeChat platform."""
