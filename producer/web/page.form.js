// The form: from what is typed to an order, and problems back to their fields.

const TEAS = [{ sku: 'TEA-01', price: 480 }, { sku: 'TEA-02', price: 360 }, { sku: 'TEA-03', price: 890 }];
const FIELDS = ['customer_name', 'email', 'phone', 'note'];

const rows = TEAS.map((tea) => {
  const row = fresh('tea-row');
  const input = part(row, 'input');
  const error = part(row, '.error');
  input.id = tea.sku;
  error.id = `${tea.sku}-error`;
  input.setAttribute('aria-describedby', error.id);
  for (const [button, step] of [['less', -1], ['more', 1]]) {
    part(row, `.${button}`).onclick = () => {
      input.value = Math.min(999, Math.max(0, (Number(plain(input)) || 0) + step));
      input.dispatchEvent(new Event('input', { bubbles: true }));
    };
  }
  $('tea-rows').append(row);
  return { ...tea, row, input, error };
});

function nameTeas() {
  for (const { sku, price, row, input } of rows) {
    const tea = t(sku);
    part(row, '.tea-name').textContent = tea;
    part(row, '.tea-price').textContent = t('price', { price: money(price) });
    input.ariaLabel = t('quantity', { tea });
    for (const button of ['less', 'more']) part(row, `.${button}`).ariaLabel = t(button, { tea });
  }
}

/** What stands in a field of digits. Input methods of East Asia write them full width: the same digits, for us. */
const plain = (input) => input.value.normalize('NFKC').trim();
/** How many of a tea: NaN if that is not what stands there. */
const count = ({ input }) => (/^0*[0-9]{0,3}$/.test(plain(input)) ? Number(plain(input)) : NaN);
const chosen = () => rows.filter((row) => count(row) !== 0);
const amount = () => chosen().reduce((sum, row) => sum + row.price * (count(row) || 0), 0);
const total = () => { $('total').textContent = money(amount()); };

/** What the page can see for itself, since an order that is kept while offline is checked by nobody else for hours. */
function faults() {
  const found = chosen().flatMap((row, i) => (count(row) ? [] : [`#/items/${i}/quantity`]));
  if (!chosen().length) found.push('#/items');
  if (!/^$|^[^@]+@[^@]+\.[^@]+$/.test($('email').value.trim())) found.push('#/email');
  const phone = plain($('phone'));
  if (phone && !/^[0-9 +().#-]{3,32}$/.test(phone)) found.push('#/phone');
  return found.map((pointer) => ({ pointer, detail: '' }));
}

function readOrder() {
  const order = { amount: `${amount()}`, currency: CURRENCY };
  order.items = chosen().map((row) => ({ sku: row.sku, name: t(row.sku), quantity: count(row), price: `${row.price}` }));
  for (const id of FIELDS) {
    const value = id === 'phone' ? plain($(id)) : $(id).value.trim();
    if (value) order[id] = value;
  }
  return order;
}

/** Where a problem of the order is shown, and the key of its words; undefined if the page has no such field. */
function place({ pointer }) {
  const [, field, index] = pointer.split('/');
  const row = chosen()[index];
  if (field === 'items' && row) return [row.input, row.error, 'whole'];
  if (field === 'items') return [rows[0].input, $('items-error'), 'choose'];
  const key = { email: 'email_bad', phone: 'phone_bad' }[field];
  return key && [$(field), $(`${field}-error`), key];
}

function clearProblems() {
  for (const el of $('order').querySelectorAll('.error')) el.hidden = true;
  for (const el of $('order').querySelectorAll('[aria-invalid]')) el.removeAttribute('aria-invalid');
}

function showProblems(errors) {
  const places = errors.map(place);
  for (const [input, error, key] of places.filter(Boolean)) {
    input.setAttribute('aria-invalid', 'true');
    speak(error, () => t(key));
    error.hidden = false;
  }
  const elsewhere = errors.filter((_, i) => !places[i]).map(({ pointer, detail }) => `${pointer.slice(2)}: ${detail}`);
  say('bad', () => [t('check'), ...elsewhere].join(' '));
  part($('order'), '[aria-invalid]')?.focus();
}

/** Writes a note, and which order it speaks of: it must not outlast what it says of that. */
function note(at, kind, words, order_id = '') {
  at.className = `note ${kind}`;
  at.dataset.of = order_id;
  speak(at, words);
}
const hush = (at) => note(at, '', () => '');

function say(kind, words, order_id, at = $('said')) {
  note(at, kind, words, order_id);
  at.scrollIntoView({ block: 'nearest' });
}

/** Short, so that it can be read out over the telephone, and with 60 random bits. */
const newId = () => `T-${Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => '23456789ABCDEFGHJKLMNPQRSTUVWXYZ'[b % 32]).join('')}`;

let id = newId(); // the same one until it is known what became of the order: a second try makes no second order
let sending = false;
let unsent = false; // for want of a token

async function send() {
  clearProblems();
  const found = faults();
  if (found.length) return showProblems(found);
  const order = readOrder();
  sums.set(id, order.amount);
  busy(true);
  hush($('said'));
  hush($('orders-said'));
  try {
    const { order_id } = await OrderProcessor.sendOrder(order, { id, timeout: navigator.onLine ? 4000 : 0 });
    settled('', () => t('sent', { id: order_id }), order_id);
  } catch (err) {
    failed(err);
  } finally {
    busy(false);
    showOutbox();
  }
}

function settled(kind, words, order_id) {
  for (const { input } of rows) input.value = 0;
  $('note').value = '';
  id = newId();
  total();
  say(kind, words, order_id);
}

function failed(err) {
  if (err.kept) return settled('wait', () => t('kept', { id: err.order_id }), err.order_id);
  if (err.status === 409) id = newId(); // this one is taken
  if (err.errors?.length) return showProblems(err.errors);
  say('bad', () => t(err.retryable || err.status === 401 ? 'unsent' : 'refused', { why: why(err) }));
  unsent = err.status === 401;
  if (unsent) wantToken(true);
}

function busy(now) {
  sending = now;
  $('send').setAttribute('aria-disabled', now);
  $('send').dataset.t = now ? 'sending' : 'send';
  $('send').textContent = t($('send').dataset.t);
}

function wantToken(focus) {
  $('token').hidden = false;
  if (focus) $('token-field').focus();
}

function useToken() {
  token = $('token-field').value.trim();
  $('token-field').value = '';
  $('token').hidden = true;
  OrderProcessor.configure({ token });
  nudge();
  if (unsent) $('order').requestSubmit();
  else $('send').focus();
}
