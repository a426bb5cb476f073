// Types of orderModule.js. docs/browser.md tells the rest.

/** An order: any JSON object. `order_id` is its identity; without one it gets a UUID. */
export type Order = Record<string, unknown>;

export type State = 'waiting' | 'in_flight' | 'parked' | 'delivered' | 'dead' | 'cancelled';

/** What the producer answers when it has accepted an order. */
export interface Receipt {
  order_id: string;
  entry_id: string;
  state: State;
  /** 1 is the next to be sent; null once it was taken. */
  position: number | null;
  /** RFC 3339; null if it is not known. */
  estimated_at: string | null;
  /** The same order was accepted before; the receipt tells how it stands now. */
  duplicate: boolean;
  durability: string;
}

/** Where an order is. */
export interface OrderStatus {
  order_id: string;
  entry_id: string;
  state: State;
  position: number | null;
  estimated_at: string | null;
  attempts: number;
  last_answer: { outcome: string; status: number | null; text: string | null } | null;
  accepted_at: string | null;
  taken_at: string | null;
  due_at: string | null;
  finished_at: string | null;
}

export interface Cancellation {
  order_id: string;
  state: 'cancelled';
  /** The state it was in; `queued` if only this browser had it. */
  was: State | 'queued';
  /** How often it was sent to the partner: above 0, the partner may have it. */
  attempts: number;
}

/** One wrong field. */
export interface FieldError {
  /** A JSON pointer as a URI fragment, such as `#/items/0/quantity`. */
  pointer: string;
  /** required, type, format, range, length or enum. */
  code: string;
  /** Says what the field must be. */
  detail: string;
}

/** Why an order was not accepted, in a form that can be stored and sent between tabs. */
export interface Refusal {
  message: string;
  /** HTTP status; 0 if there was no answer. */
  status: number;
  errors: FieldError[];
  /** The answer's problem document (RFC 9457), if it was one. */
  problem: Record<string, unknown> | null;
}

export class OrderError extends Error implements Refusal {
  readonly name: 'OrderError';
  readonly order_id: string | null;
  readonly status: number;
  readonly errors: FieldError[];
  readonly problem: Record<string, unknown> | null;
  /** The same order may be accepted later. */
  readonly retryable: boolean;
  /** The order is in this browser's outbox and goes on being sent: do not ask the user to send it again. */
  readonly kept: boolean;
  /** Milliseconds that the server asked to wait, if it did. */
  readonly retryAfter?: number;
}

/** An order in the outbox. Times are milliseconds since 1970. */
export interface PendingOrder {
  order_id: string;
  order: Order;
  /** The producer it is for. */
  url: string;
  since: number;
  /** When it is tried again, at the earliest; 0 is at once. */
  next: number;
  tries: number;
  /** It is not sent any more by itself: `error` says why. It stays until `clear(order_id)`, or until it is sent again under its id. */
  refused: boolean;
  /** What the last try came to; null before the first. */
  error: Refusal | null;
}

export interface Settings {
  /** Where the producer is. Default: where the module was loaded from. */
  url?: string;
  /** Bearer token, kept in memory only. Everybody who sees the page can read it. */
  token?: string;
  /** The key of an order that holds its id, if the producer uses another one. Default `order_id`. */
  idField?: string;
  /** How long `sendOrder` waits, in milliseconds, before it leaves a kept order to the background. Default 30,000. */
  patience?: number;
  /** How long one call may take, in milliseconds. Default 15,000. */
  tryTimeout?: number;
  /** An order that waited longer, in milliseconds, is not sent without being asked for. Default a day. */
  maxAge?: number;
  /** Name of the database, of the locks and of the channel between tabs; for `create()` only: one that has begun has them open. Default `orderq`. */
  name?: string;
  /** For tests. */
  fetch?: typeof fetch;
  indexedDB?: () => IDBFactory | undefined;
  locks?: Pick<LockManager, 'request'> | null;
  random?: () => number;
  Channel?: typeof BroadcastChannel | null;
}

export interface SendOptions {
  /** The order's id, if the order has none itself. */
  id?: string;
  /** Ends the waiting. An order that is kept stays so, also if this was aborted before; `clear(id)` takes it out. */
  signal?: AbortSignal;
  /** How long to wait, in milliseconds. Default: `patience`. */
  timeout?: number;
}

/** `detail` of each event. They are told in every tab of the origin. */
export interface OrderEvents {
  /** The order is safe in the outbox. */
  queued: CustomEvent<{ order_id: string }>;
  /** The producer has accepted the order. */
  sent: CustomEvent<Receipt>;
  /** A try failed; the next one is in `wait` milliseconds. */
  retry: CustomEvent<Refusal & { order_id: string; tries: number; wait: number; kept: boolean }>;
  /** An order in the outbox is not sent any more by itself. */
  refused: CustomEvent<Refusal & { order_id: string }>;
  /** One order was taken out of the outbox, or all were (null). */
  cleared: CustomEvent<{ order_id: string | null }>;
}

export interface OrderProcessor {
  /**
   * Sends an order and resolves when the producer has accepted it. It is kept in the outbox first, so a page that is
   * closed, reloaded or offline does not lose it. Rejects with an {@link OrderError}.
   */
  sendOrder(order: Order, options?: SendOptions): Promise<Receipt>;
  /** Resolves once the order is safe in the outbox, and sends it in the background. Rejects where nothing can be kept. */
  addToRedisQueue(order: Order, options?: { id?: string }): Promise<{ order_id: string; state: 'queued' }>;
  /** Asks where an accepted order is. Rejects with status 404 if the producer does not know it. */
  status(id: string, options?: { signal?: AbortSignal }): Promise<OrderStatus>;
  /** Cancels an order that waits, at the producer and in the outbox. Rejects with 409 if it is too late. */
  cancel(id: string): Promise<Cancellation>;
  /** What is in the outbox, the oldest first; nothing where there is no outbox. */
  pending(): Promise<PendingOrder[]>;
  /** Tries what waits, now, but for what the server asked to wait for; gives what is left. */
  flush(): Promise<PendingOrder[]>;
  /** Takes one order out of the outbox, or all of every producer (at logout); gives how many. What was accepted stays so. */
  clear(id?: string): Promise<number>;
  /** Changes settings. Once started, what waits is tried with them. */
  configure(settings: Settings): void;
  /** Begins to send what waits by itself. The module's own OrderProcessor does so when it is loaded. */
  start(): void;
  /** Another one, such as for a second producer; call `start()` on it. */
  create(settings?: Settings): OrderProcessor;
  OrderError: typeof OrderError;
  addEventListener<K extends keyof OrderEvents>(type: K, listener: (event: OrderEvents[K]) => void, options?: AddEventListenerOptions): void;
  removeEventListener<K extends keyof OrderEvents>(type: K, listener: (event: OrderEvents[K]) => void): void;
}

export function createOrderProcessor(settings?: Settings): OrderProcessor;
export const OrderProcessor: OrderProcessor;
export default OrderProcessor;

declare global {
  // The name that a classic script finds.
  var OrderProcessor: OrderProcessor;
}
