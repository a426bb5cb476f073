// What the browser tests run on: the real producer and consumer, a redis-server, a partner that counts, and pages of
// other origins. Everything ends with the tests.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect, createServer as createSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';

const ORDERQ = new URL('../../bin/orderq', import.meta.url).pathname;
const dir = mkdtempSync(join(tmpdir(), 'orderq-browser-'));
const running = new Set();

/** How long anything may take, in milliseconds: only a failure takes it, so it suits a machine that has other things to do. */
export const PATIENCE = 90_000;

/** Waits until `check` gives something, and gives that. */
export async function eventually(what, check, ms = PATIENCE) {
  const until = Date.now() + ms;
  for (;;) {
    const got = await check();
    if (got) return got;
    if (Date.now() > until) throw new Error(`waited ${ms} ms for: ${what}`);
    await pause(20);
  }
}

function start(command, args) {
  const process = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], cwd: dir });
  process.ended = once(process, 'exit');
  running.add(process);
  return process;
}

async function end(process, signal = 'SIGTERM') {
  running.delete(process);
  process.kill(signal);
  await process.ended;
}

async function freePort() {
  const server = createSocket().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  await new Promise((done) => { server.close(done); });
  return port;
}

const answers = (port) => new Promise((done) => {
  const socket = connect(port, '127.0.0.1', () => { socket.end(); done(true); });
  socket.on('error', () => done(false));
});

/** A redis-server that keeps what it has when it is killed and begun again. */
export async function openRedis() {
  const port = await freePort();
  const home = mkdtempSync(join(dir, 'redis-'));
  const redis = {
    address: `127.0.0.1:${port}`,
    async begin() {
      redis.process = start('redis-server', ['--port', port, '--bind', '127.0.0.1', '--dir', home,
        '--appendonly', 'yes', '--appendfsync', 'always', '--save', '', '--logfile', 'log']);
      await eventually('Redis', () => answers(port));
    },
    kill: () => end(redis.process, 'SIGKILL'),
  };
  await redis.begin();
  return redis;
}

async function listen(handler) {
  const server = createServer(handler).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${server.address().port}`;
}

/** Files of another origin: `files` gives headers and body for each path. */
export const openSite = (files) => listen((req, res) => {
  const file = files[req.url];
  res.writeHead(file ? 200 : 404, { 'Content-Type': 'text/html; charset=utf-8', ...file?.headers }).end(file?.body ?? '');
});

let queues = 0;

/** A queue of its own with a producer, a partner and, unless `pace` is null, a consumer. */
export async function openShop(redis, { pace = 'unlimited', tokens, ...settings } = {}) {
  const shop = { calls: [] };
  const partner = await listen((req, res) => {
    shop.calls.push(req.headers['x-order-id']);
    req.resume().on('end', () => res.end('{}'));
  });
  if (tokens) {
    settings['producer.tokens_file'] = join(dir, `tokens${queues}`);
    writeFileSync(settings['producer.tokens_file'], tokens, { mode: 0o600 });
  }
  const file = join(dir, `${queues}.yaml`);
  writeFileSync(file, '{}');
  const common = {
    'redis.addresses': redis.address, 'queue.name': `browser${queues++}`, 'producer.listen': '127.0.0.1:0', 'producer.admin': '',
    'consumer.admin': '', 'consumer.pace': pace ?? '1/s', 'consumer.api.url': partner, 'log.format': 'json', ...settings,
  };
  const args = ['--config', file, ...Object.entries(common).flatMap(([key, value]) => ['--set', `${key}=${value}`])];
  const producer = start(ORDERQ, ['producer', ...args]);
  shop.url = await address(producer);
  if (pace) start(ORDERQ, ['consumer', ...args]).stderr.resume();
  shop.status = async (id) => (await fetch(`${shop.url}/v1/orders/${id}`)).json();
  return shop;
}

/** Where a producer takes orders, as its log says. */
async function address(producer) {
  const said = [];
  const lines = createInterface(producer.stderr);
  const found = await new Promise((done, failed) => {
    lines.on('line', (line) => {
      said.push(line);
      if (line.includes('"taking orders"')) done(JSON.parse(line).address);
    });
    producer.ended.then(() => failed(new Error(`the producer ended:\n${said.join('\n')}`)));
  });
  return `http://${found}`;
}

export async function endWorld() {
  await Promise.all([...running].map((process) => end(process, 'SIGKILL')));
  rmSync(dir, { recursive: true, force: true });
}
