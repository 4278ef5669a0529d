"""``flask worker``: the process that handles facts, sends messages and sweeps what has fallen due."""

from __future__ import annotations

import click

from booking.pool import NumberPool
from config.settings import Settings
from consultation.talk.video import HostedRooms
from payments.gateway import Gateway
from people.index import PatientIndex
from prescriptions.delivery.couriers import Couriers
from prescriptions.signing.authority import CertificateAuthority
from wechat.tags import Tags
from worker.app import run
from worker.pictures import Incoming
from worker.sender import Ways


def command(
    settings: Settings,
    ways: Ways,
    index: PatientIndex,
    tags: Tags,
    incoming: Incoming,
    gateway: Gateway | None,
    pool: NumberPool,
    video: HostedRooms | None,
    authority: CertificateAuthority | None,
    courier: Couriers,
) -> click.Command:
    """The command that sends these ways; ``index`` knows the families' phones, ``tags`` WeChat's tags, ``incoming``
    the pictures from the chat, ``gateway`` takes and gives back money, ``pool`` knows which numbers are ours,
    ``video`` keeps the rooms of calls, ``authority`` vouches for keys; None: nobody does. ``courier`` carries
    medicines."""

    @click.command("worker")
    def worker() -> None:
        """Work through the queue until SIGTERM; run as many as you like."""
        run(settings, ways, index, tags, incoming, gateway, pool, video, authority, courier)

    return worker
