// Hands orders to an orderq producer and loses none on the way. No dependencies, no build step.
// All functions, options, events and errors: orderModule.d.ts and docs/browser.md.

const HERE = import.meta.url; // the classic form has document.currentScript.src in its place

const DAY = 86_400_000;
const SETUP = [401, 403, 404, 405]; // speaks against the page's set-up, not against the order
const EVERYBODY = [0, 429, 502, 503, 504, ...SETUP]; // what one order was told, the next would be told, too

const request = (r) => new Promise((done, failed) => {
  r.onsuccess = () => done(r.result);
  r.onerror = () => failed(r.error);
});

export class OrderError extends Error {
  constructor(message, { cause, ...more }) {
    super(message, { cause });
    this.name = 'OrderError';
    Object.assign(this, { order_id: null, status: 0, errors: [], problem: null, retryable: false, kept: false }, more);
  }
}

/** The wait in milliseconds that a Retry-After asks for, a day at most; undefined if it says nothing. */
function retryAfterMs(value) {
  const ms = /^\d+$/.test(value) ? value * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(0, ms), DAY);
}

function newId() {
  // randomUUID is missing where the page came over plain HTTP
  return crypto.randomUUID?.() ?? crypto.getRandomValues(new Uint32Array(4)).join('-');
}

export function createOrderProcessor(options) {
  const c = {
    url: '.', token: '', idField: 'order_id', patience: 30_000, tryTimeout: 15_000, maxAge: DAY, name: 'orderq',
    fetch: (...a) => globalThis.fetch(...a), indexedDB: () => globalThis.indexedDB, locks: globalThis.navigator?.locks,
    random: Math.random, Channel: globalThis.BroadcastChannel,
  };

  // ---- events: in this tab, and in the others, which show the same outbox

  const bus = new EventTarget();
  let channel;
  const dispatch = (type, detail) => bus.dispatchEvent(new CustomEvent(type, { detail }));
  const emit = (type, detail) => {
    dispatch(type, detail);
    channel?.postMessage([type, detail]);
  };
  const plain = ({ message, status, errors, problem }) => ({ message, status, errors, problem });

  // ---- the outbox: what was accepted by nobody yet, in IndexedDB, in the order it came

  let opened;
  const open = () => (opened ??= new Promise((done, failed) => {
    const r = c.indexedDB().open(c.name, 1); // throws where there is none
    r.onupgradeneeded = () => r.result
      .createObjectStore('outbox', { keyPath: 'seq', autoIncrement: true })
      .createIndex('order', ['url', 'order_id'], { unique: true });
    r.onerror = () => failed(r.error);
    r.onsuccess = () => {
      r.result.onclose = r.result.onversionchange = () => { r.result.close(); opened = null; };
      done(r.result);
    };
  }).catch((err) => { opened = null; throw err; }));

  async function outbox(mode, use) {
    const t = (await open()).transaction('outbox', mode, { durability: 'strict' });
    const done = new Promise((ok, failed) => { t.oncomplete = ok; t.onabort = () => failed(t.error); });
    done.catch(() => {}); // use has told already
    const result = await use(t.objectStore('outbox'));
    await done;
    return result;
  }

  /** Keeps an order, or finds that it is kept. Another one of the same id must not take its place unseen. */
  const keep = (e) => outbox('readwrite', async (store) => {
    const old = await request(store.index('order').get([c.url, e.order_id]));
    if (old && !old.refused) {
      if (old.body === e.body) return old;
      throw new OrderError('another order with this id waits here', { status: 409, order_id: e.order_id, kept: true });
    }
    if (old) e.seq = old.seq;
    e.seq = await request(store.put(e));
    return e;
  });

  /** Changes an entry, or removes it, unless the page has done so: then it is false. */
  const change = async (e, to) => !e.seq || outbox('readwrite', async (store) => {
    const there = (await request(store.get(e.seq)))?.body === e.body;
    if (there) await request(to ? store.put(to) : store.delete(e.seq));
    return there;
  });

  const entries = () => outbox('readonly', (store) => request(store.getAll()));

  const pending = async () => (await entries().catch(() => []))
    .map(({ body, seq, wait, named, ...e }) => ({ ...e, order: JSON.parse(body) }));

  async function clear(id) {
    const count = await outbox('readwrite', async (store) => {
      const gone = (await request(store.getAll())).filter((e) => id === undefined || (e.order_id === id && e.url === c.url));
      gone.forEach((e) => store.delete(e.seq));
      return gone.length;
    }).catch(() => 0);
    if (count) emit('cleared', { order_id: id ?? null });
    wake();
    return count;
  }

  // ---- one at a time: over all tabs with Web Locks, else in this one; the server knows the rest by the id

  const held = new Map();
  async function alone(name, run, how = {}) {
    name = `${c.name} ${c.url} ${name}`;
    if (c.locks) {
      let asked;
      try {
        return await c.locks.request(name, how, (lock) => (asked = true, lock && run()));
      } catch (err) { // a page in a sandbox may not lock
        if (asked || how.signal?.aborted) throw err;
      }
    }
    while (held.has(name)) {
      if (how.ifAvailable) return null;
      await held.get(name);
    }
    const running = run();
    held.set(name, running.catch(() => {}).then(() => held.delete(name)));
    return running;
  }

  // ---- calls

  async function call(method, id, signal, init) {
    signal?.throwIfAborted();
    const stop = new AbortController();
    const abort = () => stop.abort();
    const timer = setTimeout(abort, c.tryTimeout);
    signal?.addEventListener('abort', abort);
    try {
      const headers = { ...init?.headers, ...(c.token && { Authorization: `Bearer ${c.token}` }) };
      const url = `${c.url}v1/orders${init ? '' : `/${encodeURIComponent(id)}`}`;
      const res = await c.fetch(url, { method, ...init, headers, signal: stop.signal });
      return understand(res, await res.text(), id);
    } catch (cause) {
      if (cause instanceof OrderError) throw cause;
      signal?.throwIfAborted();
      throw new OrderError('no answer', { order_id: id, retryable: true, cause });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    }
  }

  function understand(res, text, id) {
    let body = null;
    try { body = JSON.parse(text); } catch { /* a proxy speaks, or the login page of a hotel's network */ }
    const { status } = res;
    if (res.ok && body?.order_id) return body;
    const final = status >= 400 && status < 500 && ![408, 425, 429].includes(status);
    throw new OrderError(body?.detail ?? body?.title ?? `unexpected answer ${status}`, {
      order_id: id, status, problem: body, errors: body?.errors ?? [], retryable: !final, retryAfter: retryAfterMs(res.headers.get('Retry-After')),
    });
  }

  function post(e, signal) {
    const body = new TextEncoder().encode(e.body);
    const headers = { 'Content-Type': 'application/json' };
    // The server says what is wrong with other ids; as a header they would end the call here.
    if (/^[\w.:-]+$/.test(e.order_id)) headers['Idempotency-Key'] = `"${e.order_id}"`;
    // Browsers let 64 KiB outlive the page, of all calls together. What is too much fails, and is tried without.
    return call('POST', e.order_id, signal, { body, headers, keepalive: !e.tries && body.length < 60_000 });
  }

  /** One try. An error that is not final has been noted in the entry, with the wait before the next one. */
  async function attempt(e, signal, told) {
    try {
      const receipt = await post(e, signal);
      await change(e).catch(() => {}); // sent again, it would be recognised
      emit('sent', receipt);
      return receipt;
    } catch (err) {
      if (!(err instanceof OrderError)) throw err; // the page's own abort
      e.tries++;
      const named = err.retryAfter >= 0;
      const wait = (err.retryAfter ?? 0) + c.random() * Math.min(60_000, 500 * 2 ** (named ? 0 : e.tries));
      const keeps = err.retryable || !told;
      Object.assign(e, { refused: !err.retryable, error: plain(err), wait, next: Date.now() + wait, named });
      const there = await change(e, keeps && e).catch(() => true);
      err.wait = wait;
      err.kept = there && keeps && !!e.seq;
      if (!there) err.retryable = false; // the page has cleared it
      if (err.retryable || err.kept) emit(e.refused ? 'refused' : 'retry', { ...e.error, order_id: e.order_id, tries: e.tries, wait, kept: err.kept });
      throw err;
    }
  }

  const wakers = new Set();
  const wake = () => wakers.forEach((w) => w());
  const sleep = (ms, signal, wakes) => new Promise((done, failed) => {
    const end = () => {
      clearTimeout(timer);
      wakers.delete(end);
      signal?.removeEventListener('abort', end);
      signal?.aborted ? failed(signal.reason) : done();
    };
    const timer = setTimeout(end, ms);
    if (wakes) wakers.add(end);
    signal?.addEventListener('abort', end);
  });

  const entry = (order, id) => ({
    order_id: `${order?.[c.idField] ?? id ?? newId()}`, url: c.url, body: JSON.stringify(order) ?? 'null', since: Date.now(), next: 0, tries: 0, refused: false, error: null,
  });

  async function sendOrder(order, { id, signal, timeout = c.patience } = {}) {
    let e = entry(order, id);
    try {
      e = await keep(e);
      emit('queued', { order_id: e.order_id });
    } catch (err) {
      if (err instanceof OrderError) throw err;
      // no outbox here: the order is sent all the same, and err.kept will be false
    }
    const until = performance.now() + timeout;
    try {
      return await alone(`order ${e.order_id}`, async () => {
        for (;;) {
          try {
            return await attempt(e, signal, true);
          } catch (err) {
            if (!err.retryable || performance.now() + err.wait > until) throw err;
            await sleep(err.wait, signal, !e.named);
            if (!await change(e, e).catch(() => true)) throw Object.assign(err, { kept: false });
          }
        }
      }, { signal });
    } catch (err) {
      flush(false); // goes on in the background
      throw err;
    }
  }

  async function addToRedisQueue(order, { id } = {}) {
    let e = entry(order, id);
    try {
      e = await keep(e);
    } catch (cause) {
      if (cause instanceof OrderError) throw cause;
      throw new OrderError('this browser cannot keep orders', { order_id: e.order_id, cause });
    }
    emit('queued', { order_id: e.order_id });
    flush(false);
    return { order_id: e.order_id, state: 'queued' };
  }

  const status = (id, { signal } = {}) => call('GET', id, signal);

  const cancel = (id) => alone(`order ${id}`, async () => {
    try {
      const told = await call('DELETE', id);
      await clear(id);
      return told;
    } catch (err) {
      if (err.status === 404 && await clear(id)) return { order_id: id, state: 'cancelled', was: 'queued', attempts: 0 };
      throw err;
    }
  });

  // ---- rounds through the outbox

  async function tryEntry(seq, eager) {
    const e = await outbox('readonly', (store) => request(store.get(seq)));
    if (!e || (e.refused && !(eager && SETUP.includes(e.error.status)))) return {};
    const now = Date.now();
    if (e.next > now + e.wait) await change(e, Object.assign(e, { next: now + e.wait })); // the clock was set back
    if (e.next > now && !(eager && !e.named)) return { next: e.next - now, stop: EVERYBODY.includes(e.error.status) };
    if (now - e.since > c.maxAge) { // the server may have forgotten that it has it: a person must decide
      const error = plain(new OrderError('too old to be sent without asking', {}));
      if (await change(e, { ...e, refused: true, error })) emit('refused', { ...error, order_id: e.order_id });
      return {};
    }
    try {
      await attempt(e);
      return {};
    } catch (err) {
      return { next: err.retryable ? err.wait : undefined, stop: err.kept && EVERYBODY.includes(err.status) };
    }
  }

  async function round(eager) {
    let soonest = Infinity;
    for (const { seq, order_id, url } of await entries()) {
      if (url !== c.url) continue; // another producer's, with another token
      const { next = Infinity, stop } = await alone(`order ${order_id}`, () => tryEntry(seq, eager), { ifAvailable: true }) ?? { next: 5000 };
      soonest = Math.min(soonest, next);
      if (stop) break;
    }
    return soonest;
  }

  let timer, following, eagerly, started;
  let running = Promise.resolve();
  /** Makes a round after the one under way; whoever asks before it begins shares it. */
  function flush(eager = true) {
    eagerly ||= eager;
    return (following ??= running = running.then(async () => {
      const now = eagerly;
      eagerly = false;
      following = undefined;
      clearTimeout(timer);
      const soonest = await alone('round', () => round(now)).catch(() => Infinity);
      if (soonest < Infinity) timer = setTimeout(() => flush(false), Math.max(soonest, 200));
      return pending();
    }));
  }

  function configure(more) {
    Object.assign(c, more);
    c.url = new URL(c.url.replace(/\/*$/, '/'), HERE).href;
    if (started) flush();
  }
  configure(options);

  /** Begins to send what waits, and goes on as long as the page lives. */
  function start() {
    const again = () => { wake(); flush(); };
    started = true;
    if (c.Channel) channel = new c.Channel(c.name);
    if (channel) channel.onmessage = ({ data }) => dispatch(...data);
    addEventListener('online', again);
    document.addEventListener('visibilitychange', () => document.hidden || again());
    // the page's own scripts come first: they may configure a token
    if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', again);
    else setTimeout(again);
  }

  return {
    sendOrder, addToRedisQueue, status, cancel, pending, clear, configure, start, flush: () => flush(), OrderError, create: createOrderProcessor,
    addEventListener: bus.addEventListener.bind(bus), removeEventListener: bus.removeEventListener.bind(bus),
  };
}

export const OrderProcessor = createOrderProcessor();
export default OrderProcessor;
globalThis.OrderProcessor = OrderProcessor;
if (globalThis.document) OrderProcessor.start();
