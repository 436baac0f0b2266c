import type { HeldMessage } from '../../modules/communication/contract.ts';
import { allows, ScopeMissing } from '../core/access/index.ts';
import { statusOf } from './server/errors.ts';
import { type Exchange, type Gate, type Route, sendText } from './server/index.ts';

interface LocalOutbox {
  localOutbox(limit: number): Promise<HeldMessage[]>;
}

const LIMIT = 50;

const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

function page(messages: readonly HeldMessage[]): string {
  const items = messages.map(
    (message) => `<article><h2>${escapeHtml(message.subject ?? '(erased)')}</h2>
<p>to ${escapeHtml(message.recipient ?? '(erased)')} &middot; ${message.sentAt?.toISOString() ?? ''}</p>
<iframe sandbox="" srcdoc="${escapeHtml(message.html ?? '')}" title="message"></iframe></article>`,
  );
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Local outbox</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:720px;margin:2rem auto;padding:0 1rem}
article{border-top:1px solid #ccc;padding:1rem 0}h2{margin:0;font-size:1.1rem}p{margin:.2rem 0 .6rem;color:#555}
iframe{width:100%;height:420px;border:1px solid #ddd}</style></head><body><h1>Local outbox</h1>
<p>No mail server is set (SMTP_URL), so messages end here. The newest ${LIMIT} are shown.</p>
${items.length === 0 ? '<p>Nothing yet.</p>' : items.join('\n')}</body></html>`;
}

/** A browser asks for a name and a password: the password is the API key. */
function bearerOf(authorization: string | undefined): string | undefined {
  if (authorization === undefined || !authorization.startsWith('Basic ')) return authorization;
  const decoded = Buffer.from(authorization.slice('Basic '.length), 'base64').toString();
  return `Bearer ${decoded.slice(decoded.indexOf(':') + 1)}`;
}

/** `GET /outbox`: messages that were laid aside because no mail server is set. */
export function localOutboxRoutes(gate: Gate, outbox: LocalOutbox): Route[] {
  const handle = async (exchange: Exchange) => {
    try {
      const principal = await gate.authenticate(bearerOf(exchange.req.headers.authorization));
      if (!allows(principal, 'communication:read')) throw new ScopeMissing(['communication:read']);
    } catch (error) {
      const status = statusOf(error);
      const challenge: Record<string, string> =
        status === 401 ? { 'www-authenticate': 'Basic realm="Holdfast: any name, an API key as password"' } : {};
      const [shown] = gate.refuse(error, exchange.correlationId, null).errors ?? [];
      sendText(exchange, status, `${shown?.message ?? 'Refused.'}\n`, {
        'content-type': 'text/plain; charset=utf-8',
        ...challenge,
      });
      return;
    }
    sendText(exchange, 200, page(await outbox.localOutbox(LIMIT)), {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'",
    });
  };
  return [{ method: 'GET', path: '/outbox', handle }];
}
