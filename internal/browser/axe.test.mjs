// What a program can see of whether everybody can use the page: axe-core, in every dress and state of it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import test from 'node:test';
import { cut, redis, sees, submit, visit, visitor } from './visitor.mjs';
import { openShop } from './world.mjs';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const SIZES = { phone: { width: 360, height: 740 }, desktop: { width: 1280, height: 900 } };
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

async function clean(page, state) {
  const found = await page.evaluate(async (tags) => {
    const { violations, passes } = await globalThis.axe.run(document, { runOnly: tags });
    return { passed: passes.length, faults: violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(' | ')}`) };
  }, TAGS);
  assert.deepEqual(found.faults, [], state);
  assert.ok(found.passed > 20, `${state}: axe looked at ${found.passed} things only`);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0, `${state}: the page is wider than the screen`);
}

for (const [size, viewport] of Object.entries(SIZES)) {
  for (const colorScheme of ['light', 'dark']) {
    for (const locale of ['en-GB', 'zh-TW']) {
      test(`axe finds nothing: ${size}, ${colorScheme}, ${locale}`, async (t) => {
        const shop = await openShop(redis, { pace: null });
        const context = await visitor(t, { viewport, colorScheme, locale, reducedMotion: 'reduce' });
        const page = await visit(context, shop.url);
        await page.evaluate(AXE);
        await clean(page, 'empty');
        await page.fill('#email', 'x');
        await page.click('#send');
        await clean(page, 'with problems');
        await page.fill('#email', '');
        await submit(page);
        await sees(page, '#order-list .id', 'T-');
        await submit(page);
        await sees(page, '#order-list .item:nth-child(2) .id', 'T-');
        await page.click('#order-list .item:first-child .cancel');
        await page.locator('.item.off').waitFor();
        await cut(context);
        await submit(page);
        await page.click('#outbox-list .discard');
        await sees(page, '#orders-said', 'T-');
        await page.evaluate(() => { document.querySelector('#token').hidden = false; });
        await clean(page, 'with orders, an outbox and the field for a token');
      });
    }
  }
}

test('by keyboard alone: the skip link, the teas, the form, the order', async (t) => {
  const shop = await openShop(redis);
  const page = await visit(await visitor(t), shop.url);
  const focused = () => page.evaluate(() => {
    const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
    const { activeElement: el } = document;
    return { name: el.ariaLabel ?? (el.id || el.innerText), ring: outlineStyle === 'solid' && outlineWidth === '3px' };
  });
  const names = [];
  for (let name; name !== 'send';) {
    await page.keyboard.press('Tab');
    const at = await focused();
    name = at.name;
    names.push(name);
    assert.ok(at.ring, `${name} shows no ring`);
    assert.ok(names.length < 30, names.join());
    if (name === 'One more: Sun Moon Lake black tea, 100 g') await page.keyboard.press('Space');
  }
  assert.deepEqual(names.slice(0, 3), ['Skip to your orders', 'English', '中文']);
  assert.equal(names.length, 3 + 3 * 3 + 4 + 1);
  await page.keyboard.press('Enter');
  await sees(page, '#order-list .sum', 'NT$360');
});

test('axe notices what is wrong', async (t) => {
  const shop = await openShop(redis, { pace: null });
  const page = await visit(await visitor(t), shop.url);
  await page.evaluate(AXE);
  await page.evaluate(() => {
    document.querySelector('h1').style.color = 'var(--line)';
    document.querySelector('label[for=email]').remove();
  });
  await assert.rejects(clean(page, 'spoilt'), (err) => /color-contrast/.test(err.message) && /label/.test(err.message));
});
