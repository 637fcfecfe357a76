"""Who is next: newcomers are eased in.

Nobody is picked in their first days in the team, and after these their share grows from nothing
to the full one. It works on plain values and the context's records, so it is tested without
WebAssembly.
"""

import json
from dataclasses import dataclass

TIE = 1e-9


@dataclass(frozen=True)
class Config:
    """What a team may set in its plugin_config."""

    quiet_days: int = 14
    ramp_days: int = 60

    @staticmethod
    def parse(text: str) -> "Config":
        """Reads a JSON object; a ValueError names the field that is wrong."""
        fields = json.loads(text)
        unknown = sorted(set(fields) - {"quiet_days", "ramp_days"})
        if unknown:
            raise ValueError(f"plugin_config: unknown field {unknown[0]}")
        for name, value in fields.items():
            if type(value) is not int or not 0 <= value <= 3650:
                raise ValueError(f"plugin_config: {name} is {value!r}, expected 0 to 3650 days")
        return Config(**fields)


def share(config: Config, joined: int, day: int) -> float:
    """How much of their weight counts on a day: 0 at first, then growing to 1."""
    days = day - joined - config.quiet_days
    if days < 0:
        return 0.0
    return min(1.0, (days + 1) / (config.ramp_days + 1))


def owed(ctx, config: Config) -> dict[str, float]:
    """How many days each candidate is owed: earned less served.

    Each recent shift's days are earned by those who are candidates today, by the weight that counted
    then, and spent by whoever served them. Nobody is owed more than two turns, so that a
    leave has not to be made up for.
    """
    days_in = lambda span: span.last.number - span.first.number + 1
    most = 2.0 * max(map(days_in, [ctx.period, *ctx.recent_shifts]))
    balance = {candidate.user: 0.0 for candidate in ctx.candidates}
    for shift in ctx.recent_shifts:
        if shift.user not in balance:
            continue
        weights = {
            candidate.user: candidate.weight * share(config, candidate.joined.number, shift.first.number)
            for candidate in ctx.candidates
        }
        total = sum(weights.values())
        days = days_in(shift)
        for user, weight in weights.items():
            earned = days * weight / total if total else days / len(weights)
            spent = days if user == shift.user else 0
            balance[user] = max(-most, min(most, balance[user] + earned - spent))
    return balance


def choose(ctx) -> tuple[str, str]:
    """The user id of whoever is next, and why."""
    config = Config.parse(ctx.config)
    today = ctx.period.first.number
    part = {c.user: share(config, c.joined.number, today) for c in ctx.candidates}
    settled = [c for c in ctx.candidates if part[c.user] > 0]
    among = settled or ctx.candidates
    balance = owed(ctx, config)
    most = max(balance[c.user] for c in among)
    tied = [c for c in among if balance[c.user] >= most - TIE]
    # Whoever never was on call goes first, then whoever was longest ago, then ring order.
    chosen = min(tied, key=lambda c: c.last_served.number if c.last_served else -(2**31))

    reason = f"owed most of {len(among)} candidates: {most:+.1f} days"
    if 0 < part[chosen.user] < 1:
        reason += f"; in the team since {_iso(chosen.joined)}, counts {part[chosen.user]:.0%} so far"
    waiting = len(ctx.candidates) - len(settled)
    if settled and waiting:
        reason += f"; {waiting} in their first {config.quiet_days} days not asked"
    return chosen.user, reason


def _iso(date) -> str:
    return f"{date.year:04}-{date.month:02}-{date.day:02}"
