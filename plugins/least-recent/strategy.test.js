import assert from 'node:assert/strict';
import { test } from 'node:test';

import { choose, parseConfig } from './strategy.js';

/** A context of period `first`, with candidates as [user, last day on call, weight]. */
function context(first, candidates, config = {}) {
  return {
    period: { number: 1, first: { number: first }, last: { number: first + 6 } },
    candidates: candidates.map(([user, last, weight = 1]) => ({
      user,
      weight,
      lastServed: last === undefined ? undefined : { number: last },
    })),
    config: JSON.stringify(config),
  };
}

test('whoever was on call longest ago is next', () => {
  const { user, reason } = choose(context(100, [['U1', 99], ['U2', 80], ['U3', 90]]));
  assert.equal(user, 'U2');
  assert.equal(reason, '19 days of rest, most of 3');
});

test('whoever never was goes first, in ring order', () => {
  const { user, reason } = choose(context(100, [['U1', 2], ['U2'], ['U3']]));
  assert.equal(user, 'U2');
  assert.equal(reason, 'never on call before, most of 3');
});

test('a tie goes to the first in the ring', () => {
  assert.equal(choose(context(100, [['U1', 99], ['U2', 90], ['U3', 90]])).user, 'U2');
});

test('weight counts where the config says so', () => {
  const candidates = [['U1', 89], ['U2', 92, 2]];
  assert.equal(choose(context(100, candidates)).user, 'U1');
  const { user, reason } = choose(context(100, candidates, { by_weight: true }));
  assert.equal(user, 'U2');
  assert.equal(reason, '7 days of rest, times weight 2, most of 2');
});

test('the tired are passed over as long as there is somebody else', () => {
  const config = { by_weight: true, min_rest_days: 5 };
  const { user, reason } = choose(context(100, [['U1', 97, 900], ['U2', 94]], config));
  assert.equal(user, 'U2');
  assert.equal(reason, '5 days of rest, times weight 1, the only one; 1 with less than 5 passed over');
  assert.equal(choose(context(100, [['U1', 99], ['U2', 98]], config)).user, 'U2');
});

test('a year of it gives everybody the same', () => {
  const last = new Map(['U1', 'U2', 'U3', 'U4', 'U5'].map((user) => [user, undefined]));
  const served = new Map([...last.keys()].map((user) => [user, 0]));
  for (let week = 0; week < 50; week += 1) {
    const { user } = choose(context(7 * week, [...last]));
    last.set(user, 7 * week + 6);
    served.set(user, served.get(user) + 1);
  }
  assert.deepEqual([...served.values()], [10, 10, 10, 10, 10]);
});

test('what is wrong in the config is named', () => {
  assert.deepEqual(parseConfig('{}'), { minRestDays: 0, byWeight: false });
  const wrong = [
    [{ min_rest_days: -1 }, /min_rest_days is -1/],
    [{ min_rest_days: 'two' }, /min_rest_days is two/],
    [{ by_weight: 1 }, /by_weight is 1/],
    [{ rest: 1 }, /unknown field rest/],
  ];
  for (const [config, message] of wrong) {
    assert.throws(() => parseConfig(JSON.stringify(config)), message);
  }
});
