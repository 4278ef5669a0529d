"""WeChat Pay v3: orders, the cashier, refunds, bills, signed and encrypted notices, certificates."""
