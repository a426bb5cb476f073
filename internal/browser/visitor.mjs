// A visitor of the page: Chromium, one profile for each test, and what tests do and see there.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { chromium } from 'playwright-core';
import { PATIENCE, endWorld, openRedis } from './world.mjs';

export let browser;
export let redis;
before(async () => {
  redis = await openRedis();
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox'], timeout: PATIENCE });
});
after(async () => {
  await browser?.close();
  await endWorld();
});

/** A browser profile of its own. Whatever a page's policy forbids, or its script fails at, fails the test. */
export async function visitor(t, options = {}) {
  const context = await browser.newContext({ locale: 'en-GB', ...options });
  context.setDefaultTimeout(PATIENCE);
  const faults = [];
  context.on('weberror', (e) => faults.push(String(e.error())));
  context.on('console', (m) => /Content Security Policy|Trusted|Refused/.test(m.text()) && faults.push(m.text()));
  t.after(async () => {
    await context.close();
    assert.deepEqual(faults, []);
  });
  return context;
}

export async function visit(context, url) {
  const page = await context.newPage();
  await page.goto(url);
  return page;
}

/** Sends a form, after the one before: until that is settled the page takes no other, and then it empties the fields. */
export const submit = async (page, tea = 'TEA-01') => {
  await page.locator('#send:not([aria-disabled=true])').waitFor();
  await page.fill(`#${tea}`, '2');
  await page.click('#send');
};
export const text = (page, selector) => page.locator(selector).innerText();
const withText = (page, selector, words) => page.locator(selector).filter({ hasText: words }).first();
export const sees = (page, selector, words) => withText(page, selector, words).waitFor();
const ID = /T-\w{12}/;
export const idIn = async (page, selector) => ID.exec(await withText(page, selector, ID).textContent())[0];

/** Nothing of the API answers; the page itself can still be loaded. */
export const cut = (context) => context.route('**/v1/**', (route) => route.abort('internetdisconnected'));
