import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Plan } from './subscribers.ts';

/** A server under test, in a process of its own. */
export interface Target {
  readonly name: string;
  readonly port: number;
  readonly transport: Plan['transport'];
  /** CPU time the server has used so far. */
  cpuMs(): Promise<number>;
  /** How many subscribers it has. */
  subscribers(): Promise<number>;
}

/** Sends a message to a child process and waits for its answer. */
export async function ask<Answer>(child: ChildProcess, question: object): Promise<Answer> {
  child.send(question);
  const [answer] = (await once(child, 'message')) as [Answer];
  return answer;
}

export async function startLimit(url: string, stops: (() => unknown)[]): Promise<Target> {
  const child = fork(new URL('limit-server.ts', import.meta.url), [url]);
  stops.push(() => stopChild(child));
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  return {
    name: 'raw SSE',
    port,
    transport: 'sse',
    cpuMs: async () => (await ask<{ cpuMs: number }>(child, {})).cpuMs,
    subscribers: async () => (await ask<{ subscribers: number }>(child, {})).subscribers,
  };
}

export async function startHoldfast(databaseUrl: string, key: string, stops: (() => unknown)[]): Promise<Target> {
  const port = await freePort();
  const data = mkdtempSync(path.join(tmpdir(), 'holdfast-bench-subscriptions-'));
  const child = spawn(process.execPath, [new URL('../../src/main.ts', import.meta.url).pathname, 'serve'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      PORT: String(port),
      DATABASE_URL: databaseUrl,
      HOLDFAST_DATA: data,
      HOLDFAST_ADMIN_KEY: key,
      HOLDFAST_WORKER: 'false',
      HOLDFAST_LOG_LEVEL: 'warn',
    },
  });
  stops.push(() => rmSync(data, { recursive: true, force: true }));
  stops.push(() => stopChild(child));
  const base = `http://127.0.0.1:${port}`;
  const isReady = () =>
    fetch(`${base}/ready`).then(
      (response) => response.ok,
      () => false,
    );
  while (!(await isReady())) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
    await delay(50);
  }
  const metric = async (name: string): Promise<number> => {
    const text = await (await fetch(`${base}/metrics`, { headers: { authorization: `Bearer ${key}` } })).text();
    const values = [...text.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (.*)$`, 'gm'))].map((match) => Number(match[1]));
    return values.reduce((sum, value) => sum + value, 0);
  };
  return {
    name: 'holdfast over SSE',
    port,
    transport: 'sse',
    cpuMs: async () => (await metric('process_cpu_seconds_total')) * 1e3,
    subscribers: () => metric('holdfast_subscribers'),
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

export async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await exited;
  clearTimeout(timer);
}
