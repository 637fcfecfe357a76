// {{name}}: what oncalld calls.

import { httpSend } from 'oncalld:plugin/http@0.1.0';

import { check, noAnswer, request } from './message.js';

/** Delivers one notification, or throws a delivery error. */
export function deliver(notification, config) {
  check(send(request(notification, config)));
}

function send(request) {
  try {
    return httpSend(request);
  } catch (error) {
    throw noAnswer(error.payload);
  }
}
