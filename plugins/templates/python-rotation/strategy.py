"""Who is next. Plain Python, tested without WebAssembly."""

import json


def choose(ctx, is_lead):
    """The user id of whoever is owed most, and why.

    Of those who are owed the same it is whoever was on call longest ago, and then the first in
    the ring, which is the order of the candidates. `ctx` is the context, see wit/plugin.wit;
    `is_lead` says of a candidate whether they lead the team.
    """
    config = json.loads(ctx.config)
    among = [c for c in ctx.candidates if config["leads_too"] or not is_lead(c)]
    if not among:
        raise ValueError("nobody but leads can be picked, and the config says they are not")
    chosen = min(among, key=lambda c: (-c.credit, c.last_served.number if c.last_served else -(2**31)))
    return chosen.user, f"owed {chosen.credit:+.2f} of a shift"
