// What is posted, and what the answer means. Plain JavaScript, tested without WebAssembly.

/** The request that posts a notification; see wit/plugin.wit. */
export function request(notification, config) {
  const { url } = JSON.parse(config);
  const { id, recipient: to, title, text } = notification;
  return {
    method: 'POST',
    url,
    headers: [{ name: 'content-type', value: 'application/json' }],
    body: new TextEncoder().encode(JSON.stringify({ id, to, title, text })),
  };
}

/** Throws a delivery error unless the other side took it. */
export function check(response) {
  const { status, headers } = response;
  if (status >= 200 && status < 300) {
    return;
  }
  const after = Number.parseInt(headers.find(({ name }) => name === 'retry-after')?.value, 10);
  const busy = status === 429 || status >= 500;
  throw {
    kind: busy ? 'retryable' : 'permanent',
    message: `the other side answered ${status}`,
    retryAfter: busy && after >= 0 ? after : undefined,
  };
}

/** The delivery error for a request that had no answer. */
export function noAnswer({ tag, val }) {
  const away = tag === 'unreachable' || tag === 'timeout';
  return { kind: away ? 'retryable' : 'permanent', message: `${tag}: ${val}`, retryAfter: undefined };
}
