// The order page's script is one module in four files, put together by the producer in this order: language, form,
// orders, page. Orders go through orderModule.js. This one: what all of it needs, and the two languages.
import { OrderProcessor } from './orderModule.js';

const CURRENCY = 'TWD';

const $ = (id) => document.getElementById(id);
const part = (root, selector) => root.querySelector(selector);
const fresh = (id) => $(id).content.firstElementChild.cloneNode(true);

const texts = JSON.parse($('texts').textContent);
const wanted = [new URLSearchParams(location.search).get('lang') ?? '', ...navigator.languages];
let lang = /^zh/i.test(wanted.find((l) => /^(en|zh)\b/i.test(l))) ? 'zh-Hant-TW' : 'en';
const t = (key, values = {}) => texts[lang][key].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? '');
const money = (sum) => new Intl.NumberFormat(lang, { style: 'currency', currency: CURRENCY, maximumFractionDigits: 0 }).format(sum);

function duration(ms) {
  const [unit, size] = ms < 90_000 ? ['second', 1000] : ms < 5_400_000 ? ['minute', 60_000] : ['hour', 3_600_000];
  return new Intl.NumberFormat(lang, { style: 'unit', unit, unitDisplay: 'long' }).format(Math.max(1, Math.ceil(ms / size)));
}

/** Why something failed. What the server says is English, and of a busy one it is for programs ("send it again"); what we say ourselves is neither. */
function why({ status, problem, message }) {
  if (status === 0) return t('no_answer');
  if (status === 401) return t('token_heading');
  return status === 429 || status >= 500 ? t('busy') : problem?.detail ?? message;
}

/** What is said in more words than a key: a function gives the text, and gives it anew in the other language. */
const spoken = new Map();
function speak(el, words) {
  spoken.set(el, words);
  el.textContent = words();
}

/** In place: a page that is loaded anew would have lost what was typed, and without a network it would not come. */
function translate() {
  document.documentElement.lang = lang;
  for (const el of document.querySelectorAll('[data-t]')) el.textContent = t(el.dataset.t);
  for (const el of document.querySelectorAll('[data-label]')) el.ariaLabel = t(el.dataset.label);
  for (const a of document.querySelectorAll('.languages a')) {
    if (a.lang === lang) a.setAttribute('aria-current', 'true');
    else a.removeAttribute('aria-current');
  }
  spoken.forEach((words, el) => { el.textContent = words(); });
}
