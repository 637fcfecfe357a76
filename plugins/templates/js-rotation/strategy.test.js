import assert from 'node:assert/strict';
import { test } from 'node:test';

import { choose } from './strategy.js';

const candidates = [
  { user: 'ULEAD', role: 'lead', credit: 0.75 },
  { user: 'UANA', role: 'member', credit: 0.25, lastServed: { number: 20780 } },
  { user: 'UBEN', role: 'member', credit: 0.25 },
];
const picked = (leadsToo, among = candidates) =>
  choose({ candidates: among, config: JSON.stringify({ leads_too: leadsToo }) }).user;

test('whoever is owed most is next', () => {
  assert.equal(picked(true), 'ULEAD');
  assert.equal(picked(false), 'UBEN');
});

test('a team of leads only is an error where leads are left out', () => {
  assert.throws(() => picked(false, candidates.slice(0, 1)), /nobody but leads/);
});
