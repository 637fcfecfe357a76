// Who is next. Plain JavaScript, tested without WebAssembly.

/**
 * Picks whoever is owed most. Of those who are owed the same it is whoever was on call longest
 * ago, and then the first in the ring, which is the order of the candidates.
 *
 * @param {object} ctx the context, see wit/plugin.wit
 * @returns {{user: string, reason: string}}
 */
export function choose(ctx) {
  const { leads_too: leadsToo } = JSON.parse(ctx.config);
  const [chosen] = ctx.candidates
    .filter(({ role }) => leadsToo || role !== 'lead')
    .sort((a, b) => b.credit - a.credit || last(a) - last(b));
  if (!chosen) {
    throw 'nobody but leads can be picked, and the config says they are not';
  }
  return { user: chosen.user, reason: `owed ${chosen.credit.toFixed(2)} of a shift` };
}

/** The number of the last day on call; of somebody who never was, the least. */
function last({ lastServed }) {
  return lastServed?.number ?? -(2 ** 31);
}
