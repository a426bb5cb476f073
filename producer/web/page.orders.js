// The orders: what waits in this browser, and the way of those that were accepted.

const FINAL = ['delivered', 'dead', 'cancelled', 'unknown'];
const SHOWN = 20; // orders in the list, at most

async function showOutbox() {
  const all = (await OrderProcessor.pending()).filter((e) => e.url === new URL('.', location).href); // others are another page's
  outdate($('said'), all.filter((e) => !e.refused));
  outdate($('orders-said'), all);
  const entries = all.filter((e) => !(sending && e.order_id === id));
  $('outbox').hidden = !entries.length;
  $('outbox-list').replaceChildren(...entries.map((e) => {
    const item = fresh('outbox-item');
    const { order_id, tries, refused, error } = e;
    const told = tries > 1 ? 'outbox_tried' : 'outbox_once';
    const key = !error ? 'outbox_waits' : !refused ? told : error.status ? 'outbox_refused' : 'outbox_old'; // that it is too old the module says, not the server
    sums.set(order_id, e.order?.amount);
    head(item, order_id);
    item.classList.toggle('bad', refused);
    part(item, '.told').textContent = t(key, { tries, why: error && why(error) });
    const discard = part(item, '.discard');
    discard.textContent = t('discard');
    discard.ariaLabel = t('discard_id', { id: order_id });
    discard.onclick = () => drop(e);
    const again = part(item, '.again');
    again.hidden = !refused;
    again.textContent = t('again');
    again.ariaLabel = t('again_id', { id: order_id });
    again.onclick = () => sendAgain(e);
    return item;
  }));
}

/** A note that an order waits here ends with the waiting, in whichever tab that was. */
function outdate(at, entries) {
  const { of } = at.dataset;
  if (!at.matches('.wait') || entries.some((e) => e.order_id === of)) return;
  hush(at);
  if (at === $('said') && orders.has(of)) note(at, '', () => t('sent', { id: of }), of);
}

/** Takes an order out of the outbox. A try whose answer was lost may have arrived: it is cancelled at the server, too, or stays while nobody can ask there. */
async function drop({ order_id, tries, refused, error }) {
  const tell = (kind, key) => say(kind, () => t(key, { id: order_id }), order_id, $('orders-said'));
  hush($('orders-said'));
  $('orders').focus(); // the button goes
  try {
    if (refused && error.status === 409) await OrderProcessor.clear(order_id); // the server's order of this id is another one
    else await OrderProcessor.cancel(order_id);
  } catch (err) {
    if (err.status === 409) { // it has arrived, and goes its way
      add(order_id);
      await OrderProcessor.clear(order_id);
      tell('bad', 'discard_late');
    } else if (err.status === 404 || (refused && error.status && (tries === 1 || error.status === 422))) { // it has not arrived
      await OrderProcessor.clear(order_id);
    } else {
      if (err.status === 401) wantToken();
      tell('wait', 'discard_unsure');
    }
  }
  showOutbox();
}

/** Somebody has decided: an order that was refused, or is too old, is tried anew under its id. */
async function sendAgain({ order_id, order }) {
  hush($('orders-said'));
  $('orders').focus(); // the button goes
  await OrderProcessor.addToRedisQueue(order, { id: order_id }).catch(() => {}); // what cannot be kept anew stays as it was
  showOutbox();
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
  if (o.state === 'cancelled' && $('said').dataset.of === o.order_id) hush($('said')); // "was accepted" would mislead
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
