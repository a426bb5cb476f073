// Every member of orderModule.d.ts as a page uses it: tsc says whether the types fit. It is never run.
import OrderProcessor, { createOrderProcessor, OrderError } from '../../producer/web/orderModule.js';
import type { Cancellation, OrderStatus, PendingOrder, Receipt } from '../../producer/web/orderModule.js';

export async function use(): Promise<void> {
  OrderProcessor.configure({ url: 'https://queue.example/', token: 't', idField: 'no', patience: 1, tryTimeout: 1, maxAge: 1, name: 'n' });
  const stop = new AbortController();
  try {
    const receipt: Receipt = await OrderProcessor.sendOrder({ order_id: 'A-1', items: [{ sku: 'T', quantity: 1 }] }, { id: 'A-1', signal: stop.signal, timeout: 1 });
    const position: number | null = receipt.position;
    // @ts-expect-error the position may be null
    const wrong: number = receipt.position;
    console.log(position, wrong, receipt.duplicate === true);
  } catch (err) {
    if (!(err instanceof OrderError)) throw err;
    for (const { pointer, code, detail } of err.errors) console.log(pointer.slice(1), code, detail);
    const again: boolean = err.retryable && !err.kept;
    console.log(again, err.status + 1, err.retryAfter ?? 0, err.problem?.['detail'], err.order_id);
  }
  const { state } = await OrderProcessor.addToRedisQueue({ note: 'x' }, { id: 'A-2' });
  const queued: 'queued' = state;
  const status: OrderStatus = await OrderProcessor.status('A-1', { signal: stop.signal });
  const cancelled: Cancellation = await OrderProcessor.cancel('A-1');
  const kept: PendingOrder[] = [...await OrderProcessor.pending(), ...await OrderProcessor.flush()];
  const cleared: number = await OrderProcessor.clear('A-1') + await OrderProcessor.clear();
  console.log(queued, status.last_answer?.outcome, cancelled.was, kept[0]?.error?.errors[0]?.code, cleared);
  OrderProcessor.addEventListener('retry', ({ detail }) => console.log(detail.wait + detail.tries, detail.kept), { once: true });
  OrderProcessor.addEventListener('sent', ({ detail }) => console.log(detail.entry_id));
  // @ts-expect-error there is no such event
  OrderProcessor.addEventListener('lost', () => {});
  const second = createOrderProcessor({ url: 'https://other.example/', locks: null, Channel: null });
  second.start();
  globalThis.OrderProcessor.create({}).start();
  // @ts-expect-error an order is an object
  await second.sendOrder('A-1');
}
