// The queue as a whole, and the beginning of it all.

const pauses = new Set();
const nudge = () => pauses.forEach((end) => end());

/** Waits; longer while nobody looks, no longer when somebody looks again. */
const pause = (ms) => new Promise((done) => {
  const end = () => { clearTimeout(timer); pauses.delete(end); done(); };
  const timer = setTimeout(end, document.hidden ? Math.max(ms, 20_000) : ms);
  pauses.add(end);
});

function queueText({ state, backlog, pace }) {
  if (['paused', 'held', 'stalled'].includes(state)) return t('queue_stands', { backlog });
  const [, n, unit] = /^([0-9.]+)\/([smh])$/.exec(pace) ?? []; // none if it is unlimited or not known
  const words = unit && t(`pace_${unit}`, { n: new Intl.NumberFormat(lang, { maximumSignificantDigits: 6 }).format(n) });
  const text = t(backlog === 0 ? 'queue_empty' : backlog === 1 ? 'queue_one' : 'queue_running', { backlog, pace: words });
  return words ? text : text.replace(/ · .*$/, '');
}

async function watchQueue() {
  for (;;) {
    try {
      const res = await fetch('v1/queue', { headers: token ? { Authorization: `Bearer ${token}` } : {} });
      skew = Date.parse(res.headers.get('Date')) - Date.now() || 0;
      if (res.status === 401) wantToken();
      const queue = res.ok && await res.json();
      speak($('queue'), () => (queue ? queueText(queue) : res.status >= 500 ? t('queue_away') : ''));
    } catch {
      speak($('queue'), () => t('queue_away'));
    }
    await pause(5000);
  }
}

// ---- begin

function inLanguage() {
  translate();
  nameTeas();
  total();
  orders.forEach((o) => { label(o); draw(o); });
  showOutbox();
}

inLanguage();
part(document, '.languages').onclick = (event) => {
  const to = event.target.lang;
  if (!to || event.ctrlKey || event.metaKey || event.shiftKey) return; // another tab, another window
  event.preventDefault();
  history.replaceState(null, '', event.target.href); // for a reload
  lang = to;
  inLanguage();
};
$('order').addEventListener('input', total);
$('order').addEventListener('submit', (event) => {
  event.preventDefault();
  if (!sending) send();
});
$('token').addEventListener('submit', (event) => {
  event.preventDefault();
  useToken();
});
$('flush').onclick = () => OrderProcessor.flush().then(showOutbox);
for (const type of ['queued', 'retry', 'refused', 'cleared', 'sent']) OrderProcessor.addEventListener(type, showOutbox);
OrderProcessor.addEventListener('sent', ({ detail }) => {
  add(detail.order_id, detail);
  nudge(); // the queue is longer now
});
for (const type of ['online', 'offline']) addEventListener(type, nudge);
document.addEventListener('visibilitychange', () => document.hidden || nudge());
setInterval(() => orders.forEach((o) => ['waiting', 'parked'].includes(o.state) && draw(o)), 1000);
recall();
watchQueue();
