"""{{name}}: what oncalld calls."""

from componentize_py_types import Err
from strategy import choose
from wit_world import WitWorld as World
from wit_world.imports.rotation import Pick, Role


class WitWorld(World):
    """The exports of the component."""

    def pick(self, ctx):
        """Picks who is next; an Err is what the team reads."""
        try:
            user, reason = choose(ctx, lambda candidate: candidate.role == Role.LEAD)
        except (KeyError, ValueError) as error:
            raise Err(str(error)) from error
        return Pick(user, reason)
