// The module alone: ids, answers, waits and calls.
import assert from 'node:assert/strict';
import test from 'node:test';
import { IDBObjectStore } from 'fake-indexeddb';
import { HERE, accepted, answer, away, failing, page } from './fakes.mjs';

test('every try of an order has its id and its very bytes', async () => {
  const { p, calls } = page((call, n) => [null, () => answer(503, {}, { 'Retry-After': '0' }), away, () => accepted(call.id)][n](call));
  const receipt = await p.sendOrder({ amount: '1.10', currency: 'EUR' });
  assert.equal(calls.length, 3);
  assert.equal(new Set(calls.map((c) => c.id)).size, 1);
  assert.equal(new Set(calls.map((c) => c.text)).size, 1);
  assert.match(receipt.order_id, /^[\w-]{36}$/);
  assert.deepEqual(await p.pending(), []);
});

test("an order's own id is its identity; idField names another key", async () => {
  const { p, tab, calls } = page((call) => accepted(call.id));
  await p.sendOrder({ order_id: 'A-1' });
  await tab({ idField: 'no' }).sendOrder({ no: 17 });
  await p.sendOrder({ amount: 1 }, { id: 'B-1' });
  assert.deepEqual(calls.map((c) => c.id), ['A-1', '17', 'B-1']);
});

test('an id that no header may hold still reaches the server, which says what is wrong with it', async () => {
  const { p, calls } = page(() => answer(422, { errors: [{ pointer: '#/order_id', code: 'format', detail: 'd' }] }));
  const err = await failing(p.sendOrder({ order_id: '茶\n' }));
  assert.equal(calls.length, 1);
  assert.equal(calls[0].id, undefined);
  assert.equal(err.errors[0].pointer, '#/order_id');
});

test('wrong fields are told, and the order does not stay behind', async () => {
  const errors = [{ pointer: '#/email', code: 'format', detail: 'must be an e-mail address' }];
  const { p } = page(() => answer(422, { title: 'Invalid order', detail: 'look', status: 422, errors }));
  const err = await failing(p.sendOrder({ order_id: 'A-1', email: 'x' }));
  assert.deepEqual([err.status, err.retryable, err.kept, err.message, err.order_id], [422, false, false, 'look', 'A-1']);
  assert.deepEqual(err.errors, errors);
  assert.deepEqual(await p.pending(), []);
});

test('where nothing can be kept, sendOrder sends and addToRedisQueue says so', async (t) => {
  const full = () => { throw new DOMException('full', 'QuotaExceededError'); };
  for (const [what, settings, put] of [
    ['no database', { indexedDB: () => undefined }],
    ['one that refuses', { indexedDB: () => { throw new DOMException('private', 'SecurityError'); } }],
    ['a full disk', {}, full],
  ]) {
    await t.test(what, async (t) => {
      if (put) t.mock.method(IDBObjectStore.prototype, 'put', put);
      let up = true;
      const { p, calls } = page((call) => (up ? accepted(call.id) : away()), settings);
      assert.equal((await p.sendOrder({ order_id: 'A-1' })).order_id, 'A-1');
      const err = await failing(p.addToRedisQueue({ order_id: 'A-2' }));
      assert.deepEqual([err.kept, err.order_id, calls.length], [false, 'A-2', 1]);
      up = false;
      const lost = await failing(p.sendOrder({ order_id: 'A-3' }, { timeout: 0 }));
      assert.deepEqual([lost.kept, lost.retryable], [false, true]);
      assert.deepEqual(await p.pending(), []);
    });
  }
});

test('nothing is tried before Retry-After allows it, not even when asked to', async (t) => {
  const { p, calls } = page((call, n) => (n === 1 ? answer(503, {}, { 'Retry-After': '20' }) : accepted(call.id)));
  const err = await failing(p.sendOrder({ order_id: 'A-1' }));
  assert.equal(err.retryAfter, 20_000);
  assert.equal((await p.flush()).length, 1);
  assert.equal(calls.length, 1);
  t.mock.method(Date, 'now', ((now) => () => now + 20_001)(Date.now()));
  assert.deepEqual(await p.flush(), []);
  assert.equal(calls.length, 2);
});

test('Retry-After may be a date, is a day at most, and counts for nothing if it is nonsense', async () => {
  for (const [value, least, most] of [
    [new Date(Date.now() + 60_000).toUTCString(), 30_000, 60_000], ['999999999', 86_400_000, 86_400_000],
    [new Date(0).toUTCString(), 0, 0], ['soon', undefined, undefined], ['-5', 0, 0],
  ]) {
    const { p } = page(() => answer(503, {}, { 'Retry-After': value }));
    const { retryAfter } = await failing(p.sendOrder({ order_id: 'A-1' }, { timeout: 0 }));
    assert.ok(least === undefined ? retryAfter === undefined : retryAfter >= least && retryAfter <= most, `${value}: ${retryAfter}`);
  }
});

test('the wait grows, to a minute, and is drawn from its whole length', async () => {
  for (const [random, want] of [[0, [0, 0, 0]], [0.5, [500, 1000, 2000]], [1, [1000, 2000, 4000]]]) {
    const waits = [];
    const { p } = page(away, { random: () => random });
    p.addEventListener('retry', ({ detail }) => waits.push(detail.wait));
    await failing(p.sendOrder({ order_id: 'A-1' }, { timeout: 0 }));
    while (waits.length < 9) await p.flush();
    assert.deepEqual(waits.slice(0, 3), want);
    assert.equal(waits[8], random * 60_000);
  }
});

test('the same call twice makes one order', async () => {
  const { p, calls } = page((call) => accepted(call.id));
  const both = await Promise.all([p.sendOrder({ order_id: 'A-1' }), p.sendOrder({ order_id: 'A-1' })]);
  assert.deepEqual(both.map((r) => r.order_id), ['A-1', 'A-1']);
  assert.equal(new Set(calls.map((c) => c.text)).size, 1);
});

test('an abort ends the waiting and keeps the order', { timeout: 90_000 }, async () => {
  const stop = new AbortController();
  const { p } = page(({ signal }) => new Promise((_, failed) => {
    signal.addEventListener('abort', () => failed(signal.reason));
    stop.abort(new DOMException('enough', 'AbortError'));
  }), { tryTimeout: 60_000 });
  await assert.rejects(p.sendOrder({ order_id: 'A-1' }, { signal: stop.signal }), { name: 'AbortError', message: 'enough' });
  assert.deepEqual((await p.pending()).map((e) => e.order_id), ['A-1']);
});

test('a signal that was aborted before keeps the order too, and it is sent in the background', { timeout: 90_000 }, async () => {
  const { p } = page((call) => accepted(call.id));
  const sent = new Promise((done) => { p.addEventListener('sent', ({ detail }) => done(detail.order_id)); });
  await assert.rejects(p.sendOrder({ order_id: 'A-1' }, { signal: AbortSignal.abort() }), { name: 'AbortError' });
  assert.equal(await sent, 'A-1');
});

test('a call that is never answered ends, and counts as no answer', async () => {
  const { p } = page(({ signal }) => new Promise((_, failed) => signal.addEventListener('abort', () => failed(signal.reason))), { tryTimeout: 5 });
  const err = await failing(p.sendOrder({ order_id: 'A-1' }, { timeout: 0 }));
  assert.deepEqual([err.message, err.retryable, err.kept], ['no answer', true, true]);
});

test("an answer that is no receipt is none: the login page of a hotel's network, a proxy's error", async () => {
  for (const [status, retryable] of [[200, true], [502, true], [408, true], [425, true], [429, true], [400, false], [413, false]]) {
    const { p } = page(() => answer(status, '<h1>Welcome</h1>'));
    const err = await failing(p.sendOrder({ order_id: 'A-1' }, { timeout: 0 }));
    assert.deepEqual([err.status, err.retryable, err.kept, err.errors], [status, retryable, retryable, []]);
  }
});

test('small orders outlive the page, large ones are sent without that', async () => {
  const { p, calls } = page((call) => accepted(call.id));
  await p.sendOrder({ order_id: 'A-1' });
  await p.sendOrder({ order_id: 'A-2', note: 'x'.repeat(64_000) });
  assert.deepEqual(calls.map((c) => c.keepalive), [true, false]);
});

test('cancel reaches the server, and what only this browser has', async () => {
  const known = { 'A-1': answer(200, { order_id: 'A-1', state: 'cancelled', was: 'waiting', attempts: 0 }), 'A-3': answer(409, { state: 'in_flight' }) };
  const { p, calls } = page((call) => (call.method === 'POST' ? answer(503, {}, { 'Retry-After': '60' }) : known[call.url.split('/').pop()] ?? answer(404)));
  assert.equal((await p.cancel('A-1')).was, 'waiting');
  await failing(p.sendOrder({ order_id: 'A-2' }));
  assert.equal((await p.cancel('A-2')).was, 'queued');
  assert.deepEqual(await p.pending(), []);
  assert.equal((await failing(p.cancel('A-3'))).problem.state, 'in_flight');
  assert.equal((await failing(p.cancel('A-4'))).status, 404);
  assert.ok(calls.every((c) => c.method !== 'DELETE' || c.body === undefined));
});

test('status asks for one order, with the token, and escapes its id', async () => {
  const { p, calls } = page(() => answer(200, { order_id: 'a/b', state: 'waiting' }), { token: 'secret' });
  assert.equal((await p.status('a/b')).state, 'waiting');
  assert.deepEqual([calls[0].url, calls[0].headers.Authorization, calls[0].method], [`${HERE}v1/orders/a%2Fb`, 'Bearer secret', 'GET']);
});

test('events tell the way of an order', async () => {
  const told = [];
  const { p } = page((call, n) => (n === 1 ? away() : accepted(call.id)));
  for (const type of ['queued', 'retry', 'sent', 'refused', 'cleared']) p.addEventListener(type, ({ detail }) => told.push(`${type} ${detail.order_id}`));
  await p.sendOrder({ order_id: 'A-1' });
  assert.deepEqual(told, ['queued A-1', 'retry A-1', 'sent A-1']);
});
