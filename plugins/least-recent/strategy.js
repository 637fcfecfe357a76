// Whose turn it is: whoever was on call longest ago.

/** How long somebody counts as having rested who never was on call, in days. */
const NEVER = Infinity;

/**
 * The config of a team.
 *
 * @param {string} json a JSON object
 * @returns {{minRestDays: number, byWeight: boolean}}
 */
export function parseConfig(json) {
  const { min_rest_days: minRestDays = 0, by_weight: byWeight = false, ...others } = JSON.parse(json);
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) {
    throw `plugin_config: unknown field ${unknown}`;
  }
  if (!Number.isInteger(minRestDays) || minRestDays < 0) {
    throw `plugin_config: min_rest_days is ${minRestDays}, expected a whole number of days`;
  }
  if (typeof byWeight !== 'boolean') {
    throw `plugin_config: by_weight is ${byWeight}, expected true or false`;
  }
  return { minRestDays, byWeight };
}

/**
 * Picks the candidate who has rested longest; with `by_weight`, a day of rest of somebody with
 * weight 2 counts as two. Of those who tie it is the first in the ring, which is the order of
 * `ctx.candidates`. Whoever has rested less than `min_rest_days` is passed over as long as there
 * is somebody else.
 *
 * @param {object} ctx the context of oncalld:plugin/rotation
 * @returns {{user: string, reason: string}}
 */
export function choose(ctx) {
  const { minRestDays, byWeight } = parseConfig(ctx.config);
  const rest = ({ lastServed }) =>
    lastServed ? ctx.period.first.number - lastServed.number - 1 : NEVER;
  const rested = ctx.candidates.filter((candidate) => rest(candidate) >= minRestDays);
  const among = rested.length > 0 ? rested : ctx.candidates;
  const score = (candidate) => rest(candidate) * (byWeight ? candidate.weight : 1);
  const chosen = among.reduce((best, other) => (score(other) > score(best) ? other : best));

  const days = rest(chosen);
  const since = days === NEVER ? 'never on call before' : `${days} days of rest`;
  const most = among.length === 1 ? 'the only one' : `most of ${among.length}`;
  const weight = byWeight && days !== NEVER ? `, times weight ${chosen.weight}` : '';
  const tired = ctx.candidates.length - among.length;
  const passed = tired > 0 ? `; ${tired} with less than ${minRestDays} passed over` : '';
  return { user: chosen.user, reason: `${since}${weight}, ${most}${passed}` };
}
