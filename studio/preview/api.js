// The only thing here that speaks to the server: one GraphQL endpoint, one key.
const store = 'tutti.previewKey';
let key = sessionStorage.getItem(store) || '';

export const hasKey = () => key !== '';

export function setKey(value) {
  key = value.trim();
  if (key) sessionStorage.setItem(store, key); else sessionStorage.removeItem(store);
}

// takeKeyFromAddress reads #key=… once and takes it out of the address, so that it is not shared by accident.
export function takeKeyFromAddress() {
  const hash = new URLSearchParams(location.hash.slice(1));
  if (!hash.has('key')) return;
  setKey(hash.get('key'));
  hash.delete('key');
  history.replaceState(null, '', location.pathname + (hash.size ? '#' + hash : ''));
}

export class ApiError extends Error {
  constructor(errors) { super(errors.map(e => e.message).join(' ')); this.errors = errors; this.code = errors[0]?.extensions?.code || ''; this.hint = errors[0]?.extensions?.hint || ''; }
}

// ask sends one operation. It gives {data, errors, ms}; without data it throws an ApiError.
export async function ask(query, variables, signal) {
  const start = performance.now();
  let res;
  try {
    res = await fetch('/graphql', {
      method: 'POST', signal,
      headers: { 'Content-Type': 'application/json', Accept: 'application/graphql-response+json, application/json', Authorization: 'Bearer ' + key },
      body: JSON.stringify({ query, variables }),
    });
  } catch (e) {
    if (e.name === 'AbortError') throw e;
    throw new ApiError([{ message: 'The server does not answer. Is it running?', extensions: { code: 'UNAVAILABLE' } }]);
  }
  let body;
  try { body = await res.json(); } catch { throw new ApiError([{ message: `The server answered ${res.status} without JSON.` }]); }
  const ms = performance.now() - start;
  if (!body.data) throw new ApiError(body.errors || [{ message: `The server answered ${res.status}.` }]);
  return { data: body.data, errors: body.errors || [], ms };
}
