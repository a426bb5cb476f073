// What becomes of an order when the network, Redis, the tab or the storage goes away: it arrives, and once.
import assert from 'node:assert/strict';
import test from 'node:test';
import { cut, idIn, redis, sees, submit, visit, visitor } from './visitor.mjs';
import { eventually, openRedis, openShop } from './world.mjs';

test('sent offline, reloaded, online again: one order', async (t) => {
  const shop = await openShop(redis);
  const context = await visitor(t);
  const page = await visit(context, shop.url);
  await context.setOffline(true);
  await submit(page);
  await sees(page, '#said', 'is kept in this browser');
  const id = await idIn(page, '#outbox-list');
  await cut(context);
  await context.setOffline(false);
  await page.reload();
  await sees(page, '#outbox-list', id);
  await context.unroute('**/v1/**');
  await page.evaluate(() => globalThis.OrderProcessor.flush());
  await sees(page, '#order-list .told', 'It has arrived.');
  await page.locator('#outbox').waitFor({ state: 'hidden' });
  assert.deepEqual(shop.calls, [id]);
});

test('what waits is sent by itself once the network is back', async (t) => {
  const shop = await openShop(redis);
  const context = await visitor(t);
  const page = await visit(context, shop.url);
  await context.setOffline(true);
  await submit(page);
  await sees(page, '#outbox-list', 'no answer');
  await context.setOffline(false);
  await sees(page, '#order-list .told', 'It has arrived.');
  assert.equal(shop.calls.length, 1);
});

test('one order in two tabs is sent once', async (t) => {
  const shop = await openShop(redis);
  const context = await visitor(t);
  const tabs = [await visit(context, shop.url), await visit(context, shop.url)];
  await cut(context);
  await submit(tabs[0]);
  for (const tab of tabs) await sees(tab, '#outbox-list', 'no answer');
  const posts = [];
  context.on('response', (res) => res.request().method() === 'POST' && posts.push(res.status()));
  await context.unroute('**/v1/**');
  await Promise.all(tabs.map((tab) => tab.evaluate(() => globalThis.OrderProcessor.flush())));
  for (const tab of tabs) await sees(tab, '#order-list .told', 'It has arrived.');
  assert.deepEqual(posts, [202]);
  assert.equal(shop.calls.length, 1);
});

test('a tab that is closed between call and answer leaves one order', async (t) => {
  const shop = await openShop(redis);
  const context = await visitor(t);
  const page = await visit(context, shop.url);
  let fetched;
  const reached = new Promise((done) => { fetched = done; });
  await page.route('**/v1/orders', async (route) => fetched((await route.fetch()).status())); // the page never hears of it
  await submit(page);
  assert.equal(await reached, 202);
  await page.close();
  const next = await visit(context, shop.url);
  await sees(next, '#order-list .told', 'It has arrived.');
  assert.deepEqual(await next.evaluate(() => globalThis.OrderProcessor.pending()), []);
  assert.deepEqual(shop.calls, [await idIn(next, '#order-list')]);
});

test('Redis away: the order is kept, Retry-After is obeyed, and it arrives once', async (t) => {
  const own = await openRedis();
  const shop = await openShop(own);
  const page = await visit(await visitor(t), shop.url);
  const finished = [];
  page.on('requestfinished', (req) => req.method() === 'POST' && finished.push(req));
  await own.kill();
  await submit(page);
  await sees(page, '#said', 'is kept in this browser');
  await own.begin();
  await sees(page, '#order-list .told', 'It has arrived.');
  await sees(page, '#said', 'was accepted'); // in the place of "is kept"
  const posts = await Promise.all(finished.map(async (req) => {
    const res = await req.response();
    const { startTime, responseEnd } = req.timing(); // by the browser's clock: this process may learn of it late
    return { at: startTime, told: startTime + responseEnd, status: res.status(), wait: res.headers()['retry-after'] * 1000 };
  }));
  posts.sort((a, b) => a.at - b.at);
  assert.ok(posts.length > 1 && posts[0].status === 503 && posts.at(-1).status === 202, JSON.stringify(posts));
  for (const [i, { told, wait }] of posts.slice(0, -1).entries()) {
    assert.ok(wait >= 1000, `the server asked for ${wait} ms`);
    assert.ok(posts[i + 1].at - told >= wait - 50, `asked for ${wait} ms, waited ${posts[i + 1].at - told}`);
  }
  assert.equal(shop.calls.length, 1);
});

test('what is discarded is not sent', async (t) => {
  const shop = await openShop(redis);
  const context = await visitor(t);
  const page = await visit(context, shop.url);
  await context.route('**/v1/orders', (route) => route.abort('connectionreset'));
  await submit(page);
  await sees(page, '#said', 'is kept in this browser');
  await page.click('#outbox-list .discard');
  await page.locator('#outbox').waitFor({ state: 'hidden' });
  await page.locator('#said').waitFor({ state: 'hidden' }); // it is not kept any more
  await page.locator('#orders-said').waitFor({ state: 'hidden' });
  await context.unroute('**/v1/orders');
  await page.evaluate(() => globalThis.OrderProcessor.flush());
  await submit(page);
  await sees(page, '#order-list .told', 'It has arrived.');
  assert.equal(shop.calls.length, 1);
});

test('an order that may have arrived is not discarded while nobody can ask the server', async (t) => {
  const shop = await openShop(redis);
  for (const [locale, unsure, sent] of [['en-GB', 'it may have arrived; the server could not be asked', 'was accepted'], ['zh-TW', '它可能已經送達，但目前無法向伺服器確認', '已受理']]) {
    for (const status of [0, 503]) {
      const context = await visitor(t, { locale });
      const page = await visit(context, shop.url);
      await context.route('**/v1/**', (route) => (status && route.request().method() === 'DELETE' ? route.fulfill({ status }) : route.abort('internetdisconnected')));
      await submit(page);
      const id = await idIn(page, '#outbox-list');
      await sees(page, '#said', id);
      await page.click('#outbox-list .discard');
      await sees(page, '#orders-said', unsure);
      await sees(page, '#outbox-list', id);
      await context.unroute('**/v1/**');
      await page.evaluate(() => globalThis.OrderProcessor.flush());
      await sees(page, '#said', sent);
      await page.locator('#orders-said').waitFor({ state: 'hidden' });
      await eventually('the order, once', () => shop.calls.filter((call) => call === id).length === 1);
    }
  }
});

test('an order that was delivered, though its answer was lost, is not discarded: the page says so and follows it', async (t) => {
  const shop = await openShop(redis);
  const context = await visitor(t);
  const page = await visit(context, shop.url);
  await context.route('**/v1/orders', async (route) => {
    await route.fetch().catch(() => {}); // the test is over
    await route.abort('connectionreset').catch(() => {});
  });
  await submit(page);
  const id = await idIn(page, '#outbox-list');
  await sees(page, '#said', 'is kept in this browser');
  await eventually('the order', async () => (await shop.status(id)).state === 'delivered');
  await page.click('#outbox-list .discard');
  await sees(page, '#orders-said', `Order ${id} had reached the server after all`);
  await sees(page, '#order-list .told', 'It has arrived.');
  await page.locator('#outbox').waitFor({ state: 'hidden' });
  assert.deepEqual(shop.calls, [id]);
});

test('an order that is too old, or was refused, says so and can be sent again', async (t) => {
  const shop = await openShop(redis);
  for (const [locale, old, refused] of [['en-GB', 'waited too long', 'refused: too much'], ['zh-TW', '等候太久', '未被受理：too much']]) {
    const context = await visitor(t, { locale });
    const today = await visit(context, shop.url);
    await cut(context);
    await submit(today);
    const id = await idIn(today, '#outbox-list');
    await today.close();
    const page = await context.newPage();
    await page.addInitScript(() => { Date.now = ((now) => () => now() + 2 * 86_400_000)(Date.now); });
    await page.goto(shop.url);
    await sees(page, '#outbox-list .told', old);
    await context.unroute('**/v1/**');
    const answer = { status: 413, contentType: 'application/problem+json', body: JSON.stringify({ status: 413, detail: 'too much' }) };
    await context.route('**/v1/orders', (route) => route.fulfill(answer));
    await page.click('#outbox-list .again');
    await sees(page, '#outbox-list .told', refused);
    await context.unroute('**/v1/orders');
    await page.click('#outbox-list .again');
    await sees(page, '#order-list', id);
    await page.locator('#outbox').waitFor({ state: 'hidden' });
    await eventually('the order, once', () => shop.calls.filter((call) => call === id).length === 1);
  }
});

test('without IndexedDB and without locks the page still sends', async (t) => {
  const shop = await openShop(redis);
  const context = await visitor(t);
  await context.addInitScript(() => {
    delete globalThis.indexedDB;
    Object.defineProperty(globalThis, 'indexedDB', { value: undefined });
    Object.defineProperty(Navigator.prototype, 'locks', { value: undefined });
    Object.defineProperty(Storage.prototype, 'setItem', { value: () => { throw new DOMException('no', 'QuotaExceededError'); } });
  });
  const page = await visit(context, shop.url);
  await submit(page);
  await sees(page, '#order-list .told', 'It has arrived.');
  await cut(context);
  await submit(page);
  await sees(page, '#said', 'The order was not sent: no answer');
  assert.equal(await page.inputValue('#TEA-01'), '2', 'what was typed is still there');
  await context.unroute('**/v1/**');
  await page.click('#send');
  await eventually('the second order', () => shop.calls.length === 2);
});
