import assert from 'node:assert/strict';
import { test } from 'node:test';

import { check, noAnswer, request } from './message.js';

test('a notification becomes a request', () => {
  const notification = { id: '1', recipient: 'UANA', title: 'On call', text: 'Until Monday' };
  const { method, url, body } = request(notification, '{"url": "https://example.com/hook"}');
  assert.deepEqual([method, url], ['POST', 'https://example.com/hook']);
  const posted = JSON.parse(new TextDecoder().decode(body));
  assert.deepEqual(posted, { id: '1', to: 'UANA', title: 'On call', text: 'Until Monday' });
});

test('the answer says whether to try again', () => {
  const headers = [{ name: 'retry-after', value: '7' }];
  const thrown = (status) => {
    try {
      check({ status, headers });
    } catch (error) {
      return [error.kind, error.retryAfter];
    }
    return 'delivered';
  };
  assert.equal(thrown(204), 'delivered');
  assert.deepEqual(thrown(503), ['retryable', 7]);
  assert.deepEqual(thrown(404), ['permanent', undefined]);
  assert.equal(noAnswer({ tag: 'timeout', val: '10 s' }).kind, 'retryable');
  assert.equal(noAnswer({ tag: 'forbidden', val: 'example.org' }).kind, 'permanent');
});
