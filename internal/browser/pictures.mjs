// Draws docs/pictures: the page as it is, with orders on their way on a real queue.
import { mkdirSync, statSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { endWorld, eventually, openRedis, openShop } from './world.mjs';

const FOLDER = new URL('../../docs/pictures/', import.meta.url).pathname;
const MOST = 150_000; // bytes of a picture

const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };
const DESKTOP = { viewport: { width: 1240, height: 980 } };
const PICTURES = {
  'page-desktop': { ...DESKTOP, locale: 'en-GB' },
  'page-desktop-zh-dark': { ...DESKTOP, locale: 'zh-TW', colorScheme: 'dark', offline: true },
  'page-phone': { ...PHONE, locale: 'en-GB', empty: true },
  'page-phone-zh': { ...PHONE, locale: 'zh-TW', below: true },
  'page-phone-problems': { ...PHONE, locale: 'en-GB', problems: true },
};

const order = async (page, tea, count) => {
  const before = await page.locator('#order-list .item').count();
  await page.locator('#send:not([aria-disabled=true])').waitFor(); // the one before is settled
  await page.fill(`#${tea}`, `${count}`);
  await page.click('#send');
  await eventually('the order', async () => await page.locator('#order-list .item').count() > before);
};

async function orders(page, offline) {
  await order(page, 'TEA-01', 1);
  await page.locator('.way .done:nth-child(3)').waitFor();
  await order(page, 'TEA-02', 2);
  await order(page, 'TEA-03', 1);
  await page.click('#order-list .item:first-child .cancel');
  await page.locator('.item.off').waitFor();
  await order(page, 'TEA-01', 3);
  if (!offline) return;
  await page.context().setOffline(true);
  await page.fill('#TEA-02', '1');
  await page.click('#send');
  await page.locator('#outbox').waitFor();
}

async function problems(page) {
  await page.fill('#TEA-01', '2');
  await page.fill('#email', 'jane@example');
  await page.fill('#phone', 'none');
  await page.click('#send');
}

const redis = await openRedis();
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox'] });
mkdirSync(FOLDER, { recursive: true });
for (const [name, { offline, empty, below, problems: wrong, ...options }] of Object.entries(PICTURES)) {
  const shop = await openShop(redis, { pace: '4/m' });
  const page = await (await browser.newContext({ reducedMotion: 'reduce', ...options })).newPage();
  await page.goto(shop.url);
  await page.locator('#queue:not(:empty)').waitFor();
  if (wrong) await problems(page);
  else if (!empty) await orders(page, offline);
  await page.fill('#customer_name', options.locale === 'zh-TW' ? '林怡君' : 'Jane Lin');
  if (wrong) await page.focus('#email');
  else await page.evaluate(() => document.activeElement.blur());
  await page.evaluate((down) => (down ? document.querySelector('.foot').scrollIntoView() : scrollTo(0, 0)), below);
  if (wrong) await page.locator('#email').evaluate((el) => el.scrollIntoView({ block: 'center' }));
  const file = `${FOLDER}${name}.png`;
  await page.screenshot({ path: file });
  const { size } = statSync(file);
  console.log(`${file}: ${size} bytes`);
  if (size > MOST) process.exitCode = 1;
  await page.context().close();
}
await browser.close();
await endWorld();
process.exit();
