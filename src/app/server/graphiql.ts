import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { renderGraphiQL } from '@graphql-yoga/render-graphiql';
import { type Exchange, sendText } from './http.ts';

const gzipped = promisify(gzip);

/** The page brings all of itself along, so nothing needs to be fetched from elsewhere; its editor makes workers of blobs. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'unsafe-inline' 'unsafe-eval' blob:",
  'worker-src blob:',
  "style-src 'unsafe-inline'",
  'img-src data:',
  'font-src data:',
  "connect-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ');

/**
 * GraphiQL 5 moves a tab that is pressed by an offset its drag animation forgot to take back, so the press ends beside
 * the tab and nothing opens. Tabs stay where they are; they can still be put in another order.
 */
const MENDED_TABS = '<style>.graphiql-tab { transform: none !important; }</style>';

/** A query to try, as a tab of GraphiQL. */
export interface ExampleQuery {
  readonly query: string;
}

/** The GraphiQL page with an editor for headers (where the key goes), working offline. */
export function createGraphiql(examples: readonly ExampleQuery[]) {
  let page: Promise<{ readonly plain: Buffer; readonly small: Buffer }> | undefined;
  const make = async () => {
    const headers = JSON.stringify({ authorization: 'Bearer hf_your_key' }, null, 2);
    const plain = Buffer.from(
      renderGraphiQL({
        title: 'Holdfast',
        headers,
        isHeadersEditorEnabled: true,
        defaultTabs: examples.map(({ query }) => ({ query, headers })),
        shouldPersistHeaders: true,
        subscriptionsProtocol: 'SSE',
        credentials: 'same-origin',
      }).replace('</head>', `${MENDED_TABS}</head>`),
    );
    return { plain, small: await gzipped(plain) };
  };

  return async (exchange: Exchange): Promise<void> => {
    page ??= make();
    const { plain, small } = await page;
    const zip = String(exchange.req.headers['accept-encoding'] ?? '').includes('gzip');
    sendText(exchange, 200, zip ? small : plain, {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': contentSecurityPolicy,
      vary: 'accept-encoding',
      ...(zip ? { 'content-encoding': 'gzip' } : {}),
    });
  };
}
