"""Sends notifications in several lanes. A lane holds one message at a time and no database connection meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import structlog

from config.clock import now
from config.database import transaction
from notifications import agreements, sending
from notifications.channel import Channel, ChannelError, OutgoingMessage
from notifications.sending import Claim
from notifications.sms import Sms, TextMessage

log = structlog.get_logger()

LANES = 16
NO_AGREEMENT = "no-subscription"  # wechat/templates.py: WeChat knows of no agreement (any more)


@dataclass(frozen=True)
class Ways:
    """The ways out of the clinic: WeChat, and text messages if there is a provider.

    ``notices``: the messages that need an agreement each time, with the template of their one-time notice.
    """

    channel: Channel
    sms: Sms | None = None
    notices: Mapping[str, str] = field(default_factory=dict)

    def send(self, message: OutgoingMessage | TextMessage) -> str:
        """Send it the way it is meant for. Raises ChannelError."""
        if isinstance(message, OutgoingMessage):
            return self.channel.send(message)
        if self.sms is None:
            raise ChannelError("no-sms-provider", "never")
        return self.sms.send(message)

    def notice_of(self, claim: Claim) -> str | None:
        """The template of the one-time notice by which a message goes, if it does."""
        return self.notices.get(claim.message.message) if isinstance(claim.message, OutgoingMessage) else None


def send_next(ways: Ways, origin: str, claimed: Callable[[], None] = lambda: None) -> bool:
    """Send the next message that is due: claim, commit, call its channel, mark. Returns whether there was one.

    ``claimed`` is called once it is ours, before the channel is.
    """
    with transaction() as session:
        notification = sending.next_due(session, now())
        if notification is None:
            return False
        claim = sending.claim(session, notification, origin, now())
    if claim:
        claimed()
        _send(ways, claim)
    return True


def _send(ways: Ways, claim: Claim) -> None:
    try:
        channel_id = ways.send(claim.message)
    except ChannelError as error:
        _refused(claim, error, ways.notice_of(claim))
    except Exception as error:  # an adapter's fault must not stop the lane, nor lose the message
        log.exception("channel-broken", notification=str(claim.message.id))
        _refused(claim, ChannelError(type(error).__name__[:60], "quick", unknown=True))
    else:
        with transaction() as session:
            sending.mark_sent(session, claim, channel_id, now())
            if notice := ways.notice_of(claim):
                agreements.used(session, claim.message.id, notice, now())


def _refused(claim: Claim, error: ChannelError, notice: str | None = None) -> None:
    log.warning("message-refused", notification=str(claim.message.id), code=error.code, retry=error.retry)
    with transaction() as session:
        sending.mark_refused(session, claim, error, now())
        if notice and error.code == NO_AGREEMENT:
            agreements.none_left(session, claim.message.id, notice, now())


class Sender:
    """The lanes of one process. They sleep until woken; a lane that finds a message wakes the next."""

    def __init__(self, ways: Ways, origin: str, lanes: int = LANES) -> None:
        self._ways, self._origin = ways, origin
        self._state = threading.Condition()
        self._awake, self._stopping = True, False  # awake at first: a killed worker may have left messages
        self._threads = [threading.Thread(target=self._lane, name=f"lane-{n}", daemon=True) for n in range(lanes)]

    def start(self) -> None:
        """Let the lanes run."""
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """There may be something to send."""
        with self._state:
            self._awake = True
            self._state.notify()

    def stop(self, seconds: float = 20) -> None:
        """Let every lane finish its message, and return when all have, or after so many seconds."""
        with self._state:
            self._stopping = True
            self._state.notify_all()
        for thread in self._threads:
            thread.join(seconds / len(self._threads))

    def _lane(self) -> None:
        while self._sleep():
            try:
                while not self._stopping and send_next(self._ways, self._origin, self.wake):
                    pass
            except Exception:  # the database is away, say: the next sweep wakes a lane again
                log.exception("lane-stopped")

    def _sleep(self) -> bool:
        with self._state:
            self._state.wait_for(lambda: self._awake or self._stopping)
            self._awake = False
            return not self._stopping
