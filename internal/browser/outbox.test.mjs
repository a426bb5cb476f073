// The module's outbox alone: what is kept, sent later, refused, cleared; other tabs, other servers, other clocks.
import assert from 'node:assert/strict';
import test from 'node:test';
import { HERE, accepted, answer, away, failing, page } from './fakes.mjs';

test('without a network the order is kept, and sent when there is one again', async () => {
  let up = false;
  const { p, calls } = page((call) => (up ? accepted(call.id) : away()));
  const err = await failing(p.sendOrder({ order_id: 'A-1' }, { timeout: 0 }));
  assert.deepEqual([err.status, err.retryable, err.kept], [0, true, true]);
  const [kept] = await p.pending();
  assert.deepEqual([kept.order_id, kept.order, kept.refused, kept.error.message], ['A-1', { order_id: 'A-1' }, false, 'no answer']);
  up = true;
  assert.deepEqual(await p.flush(), []);
  assert.deepEqual([...new Set(calls.map((c) => c.id))], ['A-1']);
});

test('a page that is opened again finds what the last one kept', async () => {
  let up = false;
  const { p, tab, calls } = page((call) => (up ? accepted(call.id) : away()));
  await failing(p.sendOrder({ amount: 1 }, { timeout: 0 }));
  up = true;
  assert.deepEqual(await tab().flush(), []);
  assert.equal(new Set(calls.map((c) => c.id)).size, 1);
});

test('an order in the outbox that is refused stays there to be seen, until it is cleared or sent anew', async () => {
  const { p, calls } = page((call) => (call.text.includes('bad') ? answer(422, { detail: 'wrong' }) : accepted(call.id)));
  const told = [];
  p.addEventListener('refused', ({ detail }) => told.push(detail.order_id));
  await p.addToRedisQueue({ order_id: 'A-1', note: 'bad' });
  await p.addToRedisQueue({ order_id: 'A-2', note: 'bad' });
  const left = await p.flush();
  assert.deepEqual(left.map((e) => [e.order_id, e.refused, e.error.status, e.error.message]), [['A-1', true, 422, 'wrong'], ['A-2', true, 422, 'wrong']]);
  assert.deepEqual(told, ['A-1', 'A-2']);
  await p.flush();
  assert.equal(calls.length, 2, 'a refusal is final');
  assert.equal((await p.sendOrder({ order_id: 'A-1', note: 'good' })).order_id, 'A-1');
  assert.equal(await p.clear('A-2'), 1);
  assert.deepEqual(await p.pending(), []);
});

test('what speaks against the page, not the order, is tried again once the page is set up better', async () => {
  for (const status of [401, 403, 404]) {
    const { p } = page((call) => (call.headers.Authorization === 'Bearer good' ? accepted(call.id) : answer(status)));
    await p.addToRedisQueue({ order_id: 'A-1' });
    const [kept] = await p.flush();
    assert.deepEqual([kept.refused, kept.error.status], [true, status]);
    p.configure({ token: 'good' });
    assert.deepEqual(await p.flush(), []);
  }
});

test('until then it is not tried again by itself', async () => {
  const { p, calls } = page((call) => (call.id === 'A-1' ? answer(401) : accepted(call.id)));
  const next = (type) => new Promise((done) => { p.addEventListener(type, done, { once: true }); });
  const refused = next('refused');
  await p.addToRedisQueue({ order_id: 'A-1' });
  await refused;
  const sent = next('sent');
  await p.addToRedisQueue({ order_id: 'A-2' });
  await sent;
  assert.deepEqual(calls.map((c) => c.id), ['A-1', 'A-2']);
});

test('one order that is refused does not hold up the others; a server that is away is asked once a round', async () => {
  const some = page((call) => (call.id === 'A-1' ? answer(400) : accepted(call.id)));
  const sent = new Promise((done) => { some.p.addEventListener('sent', ({ detail }) => done(detail.order_id)); });
  await some.p.addToRedisQueue({ order_id: 'A-1' });
  await some.p.addToRedisQueue({ order_id: 'A-2' });
  assert.equal(await sent, 'A-2');
  const none = page(() => answer(503, {}, { 'Retry-After': '60' }));
  await none.p.addToRedisQueue({ order_id: 'A-1' });
  await none.p.addToRedisQueue({ order_id: 'A-2' });
  assert.equal((await none.p.flush()).length, 2);
  assert.deepEqual(none.calls.map((c) => c.id), ['A-1']);
});

test('another order under an id that still waits is refused here; the first one stays', async () => {
  const { p } = page(away);
  await failing(p.sendOrder({ order_id: 'A-1', n: 1 }, { timeout: 0 }));
  const err = await failing(p.sendOrder({ order_id: 'A-1', n: 2 }));
  assert.deepEqual([err.status, err.kept], [409, true]);
  assert.deepEqual((await p.pending()).map((e) => e.order), [{ order_id: 'A-1', n: 1 }]);
});

test('an order in two tabs, sent by both, is under way once at a time and accepted once', async () => {
  let running = 0;
  const { p, tab, calls } = page(async (call) => {
    assert.equal(++running, 1, 'two calls at once');
    await new Promise(setImmediate);
    running--;
    return calls.length === 1 ? away() : accepted(call.id);
  });
  await p.addToRedisQueue({ order_id: 'A-1' });
  await Promise.all([p, tab(), tab()].map((each) => each.flush()));
  await p.flush();
  assert.deepEqual(calls.map((c) => c.id), ['A-1', 'A-1'], 'a try that failed, and one that did not');
});

test('an order that waited for days is not sent without being asked for', async (t) => {
  let up = false;
  const { p, calls } = page((call) => (up ? accepted(call.id) : away()));
  await failing(p.sendOrder({ order_id: 'A-1' }, { timeout: 0 }));
  up = true;
  const before = calls.length;
  t.mock.method(Date, 'now', ((now) => () => now + 2 * 86_400_000)(Date.now()));
  const [kept] = await p.flush();
  assert.deepEqual([kept.refused, kept.error.message, calls.length], [true, 'too old to be sent without asking', before]);
  assert.equal((await p.sendOrder(kept.order)).order_id, 'A-1');
});

test('a clock that is set back does not hold an order up', async (t) => {
  const { p, calls } = page((call, n) => (n === 1 ? answer(503, {}, { 'Retry-After': '1' }) : accepted(call.id)));
  await failing(p.sendOrder({ order_id: 'A-1' }, { timeout: 0 }));
  let now = Date.now() - 365 * 86_400_000;
  t.mock.method(Date, 'now', () => now);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  await p.flush();
  assert.equal(calls.length, 1);
  const sent = new Promise((done) => { p.addEventListener('sent', done); });
  now += 1000;
  t.mock.timers.tick(1000); // as long as the server asked for, and no longer
  await sent;
});

test('an order that is cleared is not sent again by a wait that was under way', async () => {
  const { p, calls } = page(away, { random: () => 0.2 });
  p.addEventListener('retry', () => p.clear('A-1'));
  const err = await failing(p.sendOrder({ order_id: 'A-1' }));
  assert.deepEqual([err.kept, calls.length], [false, 1]);
  assert.deepEqual(await p.pending(), []);
});

test('an order that is cleared while a call runs is not tried again', async () => {
  const { p, calls } = page(async () => {
    await p.clear('A-1');
    away();
  });
  const err = await failing(p.sendOrder({ order_id: 'A-1' }));
  assert.deepEqual([err.kept, err.retryable, calls.length], [false, false, 1]);
});

test('after sendOrder has given up waiting, the order is sent in the background', { timeout: 90_000 }, async () => {
  let up = false;
  const { p } = page((call) => (up ? accepted(call.id) : away()));
  const sent = new Promise((done) => { p.addEventListener('sent', ({ detail }) => done(detail.order_id)); });
  const err = await failing(p.sendOrder({ order_id: 'A-1' }, { timeout: 0 }));
  assert.equal(err.kept, true);
  up = true;
  assert.equal(await sent, 'A-1');
});

test('the network that is back and the tab that is looked at begin a round at once', { timeout: 90_000 }, async (t) => {
  for (const type of ['online', 'visibilitychange']) {
    const on = {};
    const listen = (name, run) => { on[name] = run; };
    globalThis.addEventListener = listen;
    globalThis.document = { readyState: 'loading', hidden: false, addEventListener: listen };
    t.after(() => { delete globalThis.document; delete globalThis.addEventListener; });
    let up = false;
    const { p } = page((call) => (up ? accepted(call.id) : away()), { random: () => 1 });
    p.start();
    await failing(p.sendOrder({ order_id: 'A-1' }, { timeout: 0 }));
    while ((await p.flush())[0].tries < 7); // by itself, the next try is a minute away
    up = true;
    const sent = new Promise((done) => { p.addEventListener('sent', done); });
    on[type]();
    await sent;
  }
});

test('clear without an id empties the outbox, whichever server it was for', async () => {
  const { p, tab } = page(away);
  await failing(p.sendOrder({ order_id: 'A-1' }, { timeout: 0 }));
  await failing(tab({ url: 'http://other.test' }).sendOrder({ order_id: 'A-1' }, { timeout: 0 }));
  assert.equal(await p.clear('A-1'), 1);
  assert.equal(await p.clear(), 1);
});

test('orders for another server are left alone', async () => {
  const { p, tab, calls } = page((call) => (call.url.startsWith(HERE) ? accepted(call.id) : away()));
  await failing(tab({ url: 'http://other.test/api' }).sendOrder({ order_id: 'A-1' }, { timeout: 0 }));
  await p.flush();
  assert.deepEqual([...new Set(calls.map((c) => c.url))], ['http://other.test/api/v1/orders']);
});
