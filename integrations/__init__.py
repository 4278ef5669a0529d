"""Adapters to outside systems other than WeChat; integrations/simulators/ has their stand-ins."""
