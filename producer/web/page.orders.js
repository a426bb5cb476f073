// The orders: what waits in this browser, and the way of those that were accepted.

const FINAL = ['delivered', 'dead', 'cancelled', 'unknown'];
const SHOWN = 20; // orders in the list, at most

async function showOutbox() {
  const entries = (await OrderProcessor.pending()).filter((e) => !(sending && e.order_id === id));
  $('outbox').hidden = !entries.length;
  $('outbox-list').replaceChildren(...entries.map((e) => {
    const item = fresh('outbox-item');
    const { order_id, tries, refused, error } = e;
    const key = refused ? 'outbox_refused' : error ? (tries > 1 ? 'outbox_tried' : 'outbox_once') : 'outbox_waits';
    sums.set(order_id, e.order?.amount);
    head(item, order_id);
    item.classList.toggle('bad', refused);
    part(item, '.told').textContent = t(key, { tries, why: error && why(error) });
    const discard = part(item, '.discard');
    discard.textContent = t('discard');
    discard.ariaLabel = t('discard_id', { id: order_id });
    discard.onclick = () => drop(order_id);
    return item;
  }));
}

/** Takes an order out of the outbox. One that was sent without an answer may be at the server: cancelled there, too. */
async function drop(order_id) {
  try {
    await OrderProcessor.cancel(order_id);
  } catch (err) {
    if (err.status === 409) hear(t('too_late', { id: order_id }));
    else await OrderProcessor.clear(order_id);
  }
  $('orders').focus();
}

// ---- what was accepted

const sums = new Map(); // by order id, where known
const orders = new Map();
let skew = 0; // how far the server's clock is ahead of ours
let token = '';

const hear = (text) => { $('heard').textContent = text; };

function head(item, order_id) {
  const sum = sums.get(order_id);
  part(item, '.id').textContent = order_id;
  part(item, '.sum').textContent = sum ? money(sum) : '';
}

function add(order_id, known = {}) {
  if (orders.has(order_id)) return;
  const item = fresh('order-item');
  const order = { ...known, order_id, item };
  part(item, '.cancel').onclick = () => takeBack(order);
  orders.set(order_id, order);
  label(order);
  $('order-list').prepend(item);
  $('empty').hidden = true;
  [...orders.values()].slice(0, -SHOWN).forEach((old) => { old.item.remove(); orders.delete(old.order_id); });
  remember();
  draw(order);
  follow(order);
}

function label({ order_id, item }) {
  head(item, order_id);
  ['step_accepted', 'step_sending', 'step_delivered'].forEach((key, i) => { part(item, '.way').children[i].textContent = t(key); });
  const cancel = part(item, '.cancel');
  cancel.textContent = t('cancel');
  cancel.ariaLabel = t('cancel_id', { id: order_id });
}

const left = (time) => Date.parse(time) - Date.now() - skew;

function told(o) {
  if (o.trouble) return o.trouble();
  switch (o.state) {
    case undefined: return '';
    case 'waiting': {
      const place = o.position === 1 ? t('waiting_next') : o.position && t('waiting', { position: o.position });
      const ms = left(o.estimated_at);
      return [place, o.estimated_at && (ms > 1000 ? t('waiting_time', { time: duration(ms) }) : t('waiting_soon'))].filter(Boolean).join(' · ');
    }
    case 'parked': {
      const ms = left(o.due_at);
      return t('parked', { when: ms > 0 ? t('parked_when', { time: duration(ms) }) : '' });
    }
    default: return t(o.state);
  }
}

function draw(o) {
  const done = { waiting: 1, in_flight: 2, parked: 2, dead: 2, delivered: 3, cancelled: 1 }[o.state] ?? 0;
  [...part(o.item, '.way').children].forEach((step, i) => {
    step.className = i < done ? 'done' : '';
    step.ariaCurrent = i === done - 1 ? 'step' : null;
  });
  o.item.classList.toggle('bad', o.state === 'dead');
  o.item.classList.toggle('off', ['cancelled', 'unknown'].includes(o.state));
  part(o.item, '.cancel').hidden = !['waiting', 'parked'].includes(o.state);
  part(o.item, '.told').textContent = told(o);
}

function update(o, now) {
  const news = now.state !== o.state;
  Object.assign(o, now, { trouble: null });
  draw(o);
  if (news) hear(`${o.order_id}: ${told(o)}`); // the countdown itself is not read out
}

/** How long to wait before asking again: the nearer its turn, the sooner. */
const gap = (o) => (o.state === 'waiting' ? Math.min(10_000, Math.max(1000, left(o.estimated_at) / 8 || 5000)) : o.state ? 1000 : 0);

async function follow(o) {
  for (let failures = 0; !FINAL.includes(o.state) && orders.has(o.order_id);) {
    await pause(failures ? Math.min(30_000, 2000 * 2 ** failures) : gap(o));
    try {
      const now = await OrderProcessor.status(o.order_id);
      failures = 0;
      if (!FINAL.includes(o.state)) update(o, now); // else it was cancelled meanwhile
    } catch (err) {
      failures++;
      if (err.status === 404) return update(o, { state: 'unknown' });
      if (err.status === 401) wantToken();
      o.trouble = () => why(err);
      draw(o);
      if (err.retryAfter) await pause(err.retryAfter);
    }
  }
}

async function takeBack(o) {
  try {
    await OrderProcessor.cancel(o.order_id);
    update(o, { state: 'cancelled' });
    $('orders').focus(); // the button has gone
  } catch (err) {
    o.trouble = () => (err.status === 409 ? t('too_late', { id: o.order_id }) : t('cancel_failed', { id: o.order_id, why: why(err) }));
    hear(o.trouble());
    draw(o);
  }
}

/** Ids and sums, nothing about a person, for as long as this tab is open. */
function remember() {
  try {
    sessionStorage.setItem('orders', JSON.stringify([...orders.keys()].map((key) => [key, sums.get(key)])));
  } catch { /* no storage here: the list ends with the page */ }
}

function recall() {
  try {
    for (const [order_id, sum] of JSON.parse(sessionStorage.getItem('orders') ?? '[]')) {
      sums.set(order_id, sum);
      add(order_id);
    }
  } catch { /* as above */ }
}
