"""The port for a later answer in the chat; wechat/answers.py is its adapter. What must arrive goes by Channel."""

from __future__ import annotations

from typing import Protocol


class Answers(Protocol):
    """Says something in answer to what a person just did. May take seconds: call with no transaction open."""

    def say(self, openid: str, text: str) -> bool:
        """Say it if the person may still be answered; returns whether it was taken. Raises nothing: what was not
        said is on a page of ours."""
