import type { Metrics } from '../../core/metrics.ts';
import { type Route, sendJson, sendText } from './http.ts';

/** One thing that must be in order before traffic is sent here. */
export interface ReadinessCheck {
  readonly name: string;
  /** Facts for an operator; `ok: false` or a rejection means not ready. */
  run(): Promise<{ readonly ok: boolean } & Readonly<Record<string, unknown>>>;
}

/** A check that hangs is a check that fails. */
const checkTimeoutMs = 2_000;
/** The endpoint is open, so asking it often must not become a load. */
const keptMs = 1_000;

interface Readiness {
  readonly ready: boolean;
  readonly checks: Readonly<Record<string, object>>;
}

async function runCheck(check: ReadinessCheck): Promise<{ readonly ok: boolean }> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<{ ok: boolean; error: string }>((resolve) => {
    timer = setTimeout(() => resolve({ ok: false, error: `no answer within ${checkTimeoutMs} ms` }), checkTimeoutMs);
  });
  try {
    return await Promise.race([check.run(), timeout]);
  } catch {
    // What an engine says when it fails may name hosts and users; the log has it.
    return { ok: false, ...{ error: 'failed' } };
  } finally {
    clearTimeout(timer);
  }
}

/** `/health` (alive), `/ready` (503 with the reasons while something is not in order or the server stops), `/metrics`. */
export function healthRoutes(options: {
  readonly checks: readonly ReadinessCheck[];
  readonly metrics: Metrics;
  readonly stopping: () => boolean;
  readonly nowMs: () => number;
}): Route[] {
  let last: { readonly atMs: number; readonly readiness: Promise<Readiness> } | undefined;

  const check = async (): Promise<Readiness> => {
    const results = await Promise.all(options.checks.map(async (one) => [one.name, await runCheck(one)] as const));
    return { ready: results.every(([, result]) => result.ok), checks: Object.fromEntries(results) };
  };

  return [
    { method: 'GET', path: '/health', handle: (exchange) => sendJson(exchange, 200, { status: 'alive' }) },
    {
      method: 'GET',
      path: '/ready',
      async handle(exchange) {
        if (options.stopping()) return sendJson(exchange, 503, { status: 'stopping', checks: {} });
        const now = options.nowMs();
        if (last === undefined || now - last.atMs >= keptMs) last = { atMs: now, readiness: check() };
        const { ready, checks } = await last.readiness;
        sendJson(exchange, ready ? 200 : 503, { status: ready ? 'ready' : 'not ready', checks });
      },
    },
    {
      method: 'GET',
      path: '/metrics',
      async handle(exchange) {
        const text = await options.metrics.metrics();
        sendText(exchange, 200, text, { 'content-type': options.metrics.contentType });
      },
    },
  ];
}
