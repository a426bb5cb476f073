// The order page in Chromium, on the real producer, Redis and consumer.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { idIn, redis, sees, submit, text, visit, visitor } from './visitor.mjs';
import { eventually, openShop } from './world.mjs';

test('an order is sent, followed and delivered', async (t) => {
  const shop = await openShop(redis);
  const page = await visit(await visitor(t), shop.url);
  await page.fill('#customer_name', '林小姐');
  await submit(page);
  await sees(page, '#said', 'was accepted');
  await sees(page, '#order-list .told', 'It has arrived.');
  const id = await idIn(page, '#order-list');
  assert.deepEqual(shop.calls, [id]);
  assert.equal(await page.inputValue('#TEA-01'), '0');
  await page.reload();
  await sees(page, '#order-list .told', 'It has arrived.');
  assert.equal(await idIn(page, '#order-list'), id, 'the list outlives a reload');
});

test('problems stand at their fields, the page’s own and the server’s', async (t) => {
  const shop = await openShop(redis);
  const page = await visit(await visitor(t), shop.url);
  const problem = async (selector, words) => {
    await page.click('#send');
    const field = page.locator(selector);
    await page.waitForFunction((s) => document.activeElement.matches(`${s}[aria-invalid=true]`), selector);
    const ids = (await field.getAttribute('aria-describedby') ?? '').split(' ');
    const told = (await Promise.all(ids.filter(Boolean).map((id) => text(page, `#${id}`)))).join(' ');
    assert.ok(told.includes(words), `${selector}: ${told}`);
    assert.equal(await page.locator('[aria-invalid=true]').count(), 1);
  };
  await page.click('#send');
  await sees(page, '#items-error', 'Please choose a tea.');
  await page.fill('#TEA-02', '1.5');
  await problem('#TEA-02', 'A whole number');
  await page.fill('#TEA-02', '1');
  await page.fill('#phone', 'none');
  await problem('#phone', '3 to 32 digits');
  await page.fill('#phone', '');
  await page.fill('#email', 'jane@example');
  await problem('#email', 'not an e-mail address');
  const refused = page.waitForResponse((res) => res.status() === 422);
  await page.fill('#email', 'jane..lin@example.com'); // good enough for the page
  await problem('#email', 'not an e-mail address');
  await refused;
  await page.fill('#email', 'jane@example.com');
  await page.press('#email', 'Enter');
  await sees(page, '#order-list .told', 'It has arrived.');
  assert.equal(shop.calls.length, 1);
});

test('quantities: 1 to 999, a total of what is valid, and digits of any width', async (t) => {
  const shop = await openShop(redis, { pace: null });
  const page = await visit(await visitor(t), shop.url);
  await page.fill('#TEA-02', '2');
  for (const [typed, total] of [['-1', 'NT$720'], ['1e2', 'NT$720'], ['1000', 'NT$720'], ['1.5', 'NT$720'], ['', 'NT$720'], ['007', 'NT$4,080'], ['９９９', 'NT$480,240']]) {
    await page.fill('#TEA-01', typed);
    assert.equal(await text(page, '#total'), total, typed);
  }
  await page.fill('#TEA-01', '1000');
  await page.click('#send');
  await sees(page, '#TEA-01-error', 'A whole number from 1 to 999.');
  await page.fill('#TEA-01', '１');
  await page.click('[aria-label^="One more: Alishan"]');
  assert.equal(await page.inputValue('#TEA-01'), '2');
  await page.fill('#TEA-01', '１０');
  await page.fill('#phone', '（０２）２３４５－６７８９');
  const sent = page.waitForRequest((req) => req.method() === 'POST');
  await page.click('#send');
  const { items, amount, phone } = (await sent).postDataJSON();
  assert.deepEqual([items.map((i) => i.quantity), amount, phone], [[10, 2], '5520', '(02)2345-6789']);
  await sees(page, '#said', 'was accepted');
});

test('an order that waits shows its place and can be cancelled', async (t) => {
  const shop = await openShop(redis, { pace: null });
  const page = await visit(await visitor(t), shop.url);
  await submit(page);
  await sees(page, '#order-list .told', 'Next in the queue');
  await submit(page, 'TEA-02');
  await sees(page, '#order-list .item:first-child .told', 'Number 2 in the queue');
  const id = await idIn(page, '#order-list .item:first-child');
  await page.click(`[aria-label="Cancel order ${id}"]`);
  await sees(page, '#order-list .item:first-child .told', 'It was cancelled.');
  await page.locator('#said').waitFor({ state: 'hidden' }); // "was accepted" would mislead
  assert.equal((await shop.status(id)).state, 'cancelled');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'orders', 'the focus is not lost with the button');
});

test('an estimate counts down', async (t) => {
  const shop = await openShop(redis, { pace: '2/m' });
  const page = await visit(await visitor(t), shop.url);
  for (const tea of ['TEA-01', 'TEA-02', 'TEA-03']) {
    await submit(page, tea);
    await page.waitForFunction((sum) => document.querySelector('#order-list').innerText.includes(sum), { 'TEA-01': '960', 'TEA-02': '720', 'TEA-03': '1,780' }[tea]);
  }
  const seconds = async () => Number(/about (\d+) second/.exec(await text(page, '#order-list .item:first-child .told'))?.[1]);
  const first = await eventually('an estimate', seconds);
  await eventually('less', async () => await seconds() < first);
  await sees(page, '#queue', '· 2 a minute');
  await page.click('text=中文');
  await sees(page, '#queue', '· 每分鐘 2 筆');
});

test('a server with tokens: the page asks for one, and keeps it in memory only', async (t) => {
  const shop = await openShop(redis, { tokens: 'web submit,read,cancel open-sesame', 'producer.page': true });
  const page = await visit(await visitor(t), shop.url);
  await submit(page);
  await page.waitForFunction(() => document.activeElement.id === 'token-field');
  await sees(page, '#said', 'The order was not sent');
  await page.fill('#token-field', 'open-sesame');
  await page.press('#token-field', 'Enter');
  await sees(page, '#order-list .told', 'It has arrived.');
  assert.equal(shop.calls.length, 1);
  const stored = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
  assert.ok(!stored.includes('sesame'), stored);
});

test('why an order waits is told in the page’s words; why it is refused, in the server’s', async (t) => {
  const shop = await openShop(redis, { pace: null });
  const detail = 'send the same request again later';
  for (const [locale, busy, refused] of [['en-GB', 'the server is busy', 'was not accepted: '], ['zh-TW', '伺服器忙碌中', '訂單未被受理：']]) {
    for (const status of [429, 500, 503]) {
      const context = await visitor(t, { locale });
      const page = await visit(context, shop.url);
      const answer = { status };
      await context.route('**/v1/orders', (route) => route.fulfill({
        status: answer.status, contentType: 'application/problem+json', headers: { 'Retry-After': '600' }, body: JSON.stringify({ status: answer.status, detail }),
      }));
      await submit(page);
      await sees(page, '#outbox-list .told', busy);
      assert.ok(!(await text(page, 'body')).includes(detail));
      answer.status = 413;
      await submit(page);
      await sees(page, '#said', `${refused}${detail}`);
    }
  }
});

test('the other language comes in place: what was typed stays, what was said is said in it, and no network is needed', async (t) => {
  const shop = await openShop(redis, { pace: null });
  const context = await visitor(t);
  const page = await visit(context, shop.url);
  await submit(page);
  await sees(page, '#said', 'was accepted');
  await sees(page, '#order-list .told', 'Next in the queue');
  await page.fill('#TEA-03', '3');
  await page.fill('#customer_name', '林小姐');
  await page.fill('#phone', 'none');
  await page.fill('#note', 'ring twice');
  await page.click('#send');
  await sees(page, '#phone-error', '3 to 32 digits');
  await context.setOffline(true);
  await page.click('text=中文');
  await sees(page, '#phone-error', '請輸入 3 到 32');
  await sees(page, '#said', '請檢查標示的欄位。');
  await sees(page, '#order-list .cancel', '取消');
  await sees(page, '#queue', '伺服器目前沒有回應');
  assert.equal(await page.getAttribute('html', 'lang'), 'zh-Hant-TW');
  assert.ok(!/[a-z]{3}/.test((await text(page, 'main')).replaceAll('ring twice', '')), await text(page, 'main'));
  for (const [field, typed] of [['TEA-03', '3'], ['customer_name', '林小姐'], ['phone', 'none'], ['note', 'ring twice']]) assert.equal(await page.inputValue(`#${field}`), typed);
  await page.click('text=English');
  await sees(page, '#said', 'Please look at what is marked.');
  assert.deepEqual(await page.locator('[aria-current=true]').allInnerTexts(), ['English']);
  await page.click('text=中文');
  await context.setOffline(false);
  await page.reload();
  assert.equal(await text(page, '#send'), '送出訂單', 'the language outlives a reload');
});

test('both languages, by the browser’s and by ?lang=', async (t) => {
  const shop = await openShop(redis);
  const texts = JSON.parse(readFileSync(new URL('../../producer/web/page.texts.json', import.meta.url)));
  assert.deepEqual(Object.keys(texts['zh-Hant-TW']), Object.keys(texts.en));
  const blanks = (s) => (s.match(/\{\w+\}/g) ?? []).sort().join();
  for (const [key, words] of Object.entries(texts.en)) assert.equal(blanks(texts['zh-Hant-TW'][key]), blanks(words), key);
  const html = readFileSync(new URL('../../producer/web/index.html', import.meta.url), 'utf8');
  const first = [...html.matchAll(/data-t="(\w+)"[^>]*>([^<]*)</g), ...html.matchAll(/data-label="(\w+)" aria-label="([^"]*)"/g)];
  assert.ok(first.length > 20);
  for (const [, key, words] of first) assert.equal(words, texts.en[key], `${key}: what stands there before the script`);
  for (const [locale, query, lang] of [
    ['zh-TW', '', 'zh-Hant-TW'], ['en-GB', '', 'en'], ['de-DE', '', 'en'], ['en-GB', '?lang=zh-TW', 'zh-Hant-TW'], ['zh-TW', '?lang=en', 'en'],
  ]) {
    const page = await visit(await visitor(t, { locale }), `${shop.url}/${query}`);
    assert.equal(await page.getAttribute('html', 'lang'), lang);
    assert.equal(await page.title(), texts[lang].title);
    assert.equal(await text(page, '#send'), texts[lang].send);
    assert.ok(!/[{}]|undefined|NaN/.test(await text(page, 'body')));
    await submit(page);
    await sees(page, '#order-list .told', texts[lang].delivered);
  }
});
