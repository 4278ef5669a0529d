"""A small WeChat: a separate program that speaks the platform's HTTP, with phones to be a follower on."""
