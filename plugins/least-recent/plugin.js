// What oncalld calls: the world rotation-strategy of oncalld:plugin.

import { choose } from './strategy.js';

/** A string that is thrown is the error that the team reads. */
export function pick(ctx) {
  try {
    return choose(ctx);
  } catch (error) {
    throw String(error?.message ?? error);
  }
}
