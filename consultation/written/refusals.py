"""Why something is not done in writing, and what to do instead."""

from __future__ import annotations

from config.errors import Refused
from config.text import N_


class NotInWriting(Refused):
    """The visit is held by video, or its clinic is."""

    code = "not-in-writing"
    message = N_("This visit is held by video. Check in at its time, on this page.")


class NoCheckIn(Refused):
    """A visit in writing has no line to check in to."""

    code = "no-check-in"
    message = N_("This visit is held in writing: you need not check in. Write to the doctor on this page.")


class WritingClosed(Refused):
    """Too late to begin, or the visit will not take place."""

    code = "writing-closed"
    message = N_("You could begin to write until %(last)s. Please book another number.")


class IntakeFirst(Refused):
    """The doctor needs to know of the child, and the warning signs have to be asked."""

    code = "intake-first"
    message = N_("First tell the doctor about your child: a few short steps, on this page. Then you can write.")


class EnoughMessages(Refused):
    """The family has written as many messages as the policy allows."""

    code = "enough-messages"
    message = N_(
        "You have written all %(limit)s messages of this visit. The doctor reads them and can still answer. If your "
        "child gets worse, go to the hospital or call 120."
    )
