// The module on pages of other origins, in both its forms.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { redis, sees, visit, visitor } from './visitor.mjs';
import { eventually, openShop, openSite } from './world.mjs';

const POLICY = (shop) => ({ 'Content-Security-Policy': `default-src 'none'; script-src ${shop.url} 'nonce-n'; connect-src ${shop.url}; require-trusted-types-for 'script'` });
const FORMS = {
  classic: (url) => `<script src="${url}/orderModule.classic.js"></script>
    <script nonce="n">const processor = OrderProcessor;</script>`,
  module: (url) => `<script type="module" nonce="n">import { OrderProcessor, OrderError } from '${url}/orderModule.js';
    globalThis.processor = globalThis.OrderProcessor === OrderProcessor && OrderError && OrderProcessor;</script>`,
};

for (const [form, script] of Object.entries(FORMS)) {
  test(`the ${form} form on a page of another origin, with a strict policy and a token`, async (t) => {
    const site = {};
    const origin = await openSite(site);
    const shop = await openShop(redis, { 'producer.allowed_origins': origin, tokens: 'web submit,read,cancel open-sesame' });
    site['/'] = { headers: POLICY(shop), body: `<!doctype html><title>Old shop</title>${script(shop.url)}` };
    const page = await visit(await visitor(t), origin);
    const refused = await page.evaluate(() => OrderProcessor.sendOrder({ order_id: 'A-1' }).catch((e) => [e.name, e.status, e.kept]));
    assert.deepEqual(refused, ['OrderError', 401, false]);
    await page.evaluate(() => OrderProcessor.configure({ token: 'open-sesame' }));
    const receipt = await page.evaluate(() => OrderProcessor.sendOrder({ order_id: 'A-1', items: [{ sku: 'TEA-01', quantity: 1 }] }));
    assert.equal(receipt.order_id, 'A-1');
    assert.deepEqual(await page.evaluate(() => OrderProcessor.addToRedisQueue({ order_id: 'A-2' })), { order_id: 'A-2', state: 'queued' });
    await eventually('both orders', () => shop.calls.length === 2);
    assert.deepEqual(shop.calls.sort(), ['A-1', 'A-2']);
    const found = await page.evaluate(() => OrderProcessor.status('A-1'));
    assert.equal(found.order_id, 'A-1');
  });
}

test('an origin that is not allowed gets nothing sent, and the order is not lost', async (t) => {
  const shop = await openShop(redis);
  const site = await openSite({ '/': { body: `<!doctype html><title>Old shop</title>${FORMS.classic(shop.url)}` } });
  const page = await visit(await visitor(t), site);
  const err = await page.evaluate(() => OrderProcessor.sendOrder({ order_id: 'A-1' }, { timeout: 0 }).catch((e) => [e.name, e.retryable, e.kept]));
  assert.deepEqual(err, ['OrderError', true, true]);
  assert.deepEqual(shop.calls, []);
});

test('docs/example.html, an old page with one line changed', async (t) => {
  const site = {};
  const origin = await openSite(site);
  const shop = await openShop(redis, { 'producer.allowed_origins': origin });
  const example = readFileSync(new URL('../../docs/example.html', import.meta.url), 'utf8');
  assert.equal(example.split('http://127.0.0.1:8080/').length, 2, 'one line names the producer');
  site['/'] = { body: example.replace('http://127.0.0.1:8080', shop.url) };
  const context = await visitor(t);
  const page = await visit(context, origin);
  await page.fill('[name=email]', 'jane@example');
  await page.click('button');
  await sees(page, '#said', '#/email must be an e-mail address');
  await page.fill('[name=email]', 'jane@example.com');
  await page.click('button');
  await sees(page, '#said', 'was accepted. It is number');
  await eventually('the order', () => shop.calls.length === 1);
});
