// What stands around the module where it is tested alone: a server that is a function, a database, and locks.
import assert from 'node:assert/strict';
import { IDBFactory } from 'fake-indexeddb';
import { createOrderProcessor, OrderError } from '../../producer/web/orderModule.js';

export const HERE = 'http://queue.test/';
export const answer = (status, body = {}, headers = {}) => new Response(typeof body === 'string' ? body : JSON.stringify(body), { status, headers });
export const accepted = (order_id) => answer(202, { order_id, state: 'waiting', duplicate: false });
export const away = () => { throw new TypeError('Failed to fetch'); };

/** Locks as browsers have them, for several tabs in one process. */
function lockManager() {
  const held = new Map();
  return {
    async request(name, { ifAvailable } = {}, run) {
      while (held.has(name)) {
        if (ifAvailable) return run(null);
        await held.get(name);
      }
      const running = Promise.resolve(run({ name }));
      held.set(name, running.catch(() => {}).then(() => held.delete(name)));
      return running;
    },
  };
}

/** A page with the module: `serve` gets the call and its number, from 1. */
export function page(serve, settings = {}) {
  const calls = [];
  const shared = { db: new IDBFactory(), locks: lockManager() };
  const tab = (more = {}) => createOrderProcessor({
    url: HERE, indexedDB: () => shared.db, locks: shared.locks, random: () => 0, Channel: null, patience: 15_000,
    fetch: async (url, init) => {
      const call = { url, ...init, id: init.headers['Idempotency-Key']?.slice(1, -1), text: init.body && new TextDecoder().decode(init.body) };
      calls.push(call);
      return serve(call, calls.length);
    },
    ...settings, ...more,
  });
  return { p: tab(), tab, calls };
}

export const failing = async (promise) => {
  const err = await promise.then(() => assert.fail('it succeeded'), (e) => e);
  assert.ok(err instanceof OrderError, `got ${err}`);
  return err;
};
