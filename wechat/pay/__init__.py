"""WeChat Pay v3: the gateway over its API, its signatures both ways, and what it tells us afterwards."""
