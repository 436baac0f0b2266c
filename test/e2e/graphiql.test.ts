import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ONLINE_RETAIL, SHOP } from '../../src/app/demo/online-retail.ts';
import { DEMO_QUERIES } from '../../src/app/demo/queries.ts';
import { computeWhatIsKnown, setUpBusiness } from '../../src/app/demo/setup.ts';
import { systemCall } from '../../src/core/call.ts';
import { adminKey, startTestServer } from '../api/server.ts';
import { importFile } from '../imports/support.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { findChromium } from '../support/chromium.ts';

const executablePath = findChromium();
const EXAMPLE = '# The first customer\nquery First {\n  customers(first: 1) {\n    edges { node { name } }\n  }\n}\n';

interface OpenPage {
  readonly page: Page;
  /** What the page asked of other servers than its own; none of it got through. */
  readonly refused: readonly string[];
  readonly errors: readonly string[];
}

let browser: Browser;

async function openGraphiql(url: string): Promise<OpenPage> {
  const page = await browser.newPage({ permissions: ['clipboard-write'] });
  const refused: string[] = [];
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  await page.route(
    ({ origin, protocol }) => origin !== url && !['data:', 'blob:'].includes(protocol),
    (route) => {
      refused.push(route.request().url());
      return route.abort();
    },
  );
  await page.goto(`${url}/graphql`);
  await page.waitForSelector('.graphiql-editor .view-lines');
  return { page, refused, errors };
}

/**
 * Puts the key where the page keeps a place for it, as a person pastes it. By keyboard, since the editor takes two
 * clicks for a double click only when it gets to both within 400 ms; by pasting, since it closes brackets that are typed.
 */
async function putKey(page: Page, key: string): Promise<void> {
  const headers = page.getByRole('region', { name: 'Headers' });
  await headers.getByText('"Bearer hf_your_key"').waitFor();
  await headers.getByRole('textbox').focus();
  const text = JSON.stringify({ authorization: `Bearer ${key}` });
  await page.evaluate((copied) => navigator.clipboard.writeText(copied), text);
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.press('ControlOrMeta+v');
  await headers.getByText(text, { exact: true }).waitFor();
}

/** Presses a button, and gives back what the server answered to the operation it sends. */
async function answerTo<Answer>(page: Page, operation: string, button: RegExp): Promise<Answer> {
  const [response] = await Promise.all([
    page.waitForResponse((each) => each.request().postData()?.includes(operation) === true),
    page.getByRole('button', { name: button }).click(),
  ]);
  return (await response.json()) as Answer;
}

const RUN = /execute query/i;

describe.skipIf(executablePath === undefined)(
  executablePath === undefined ? 'GraphiQL (skipped: no Chromium here; apt-get install chromium)' : 'GraphiQL',
  () => {
    beforeAll(async () => {
      // Chromium's sandbox refuses to run as root.
      browser = await chromium.launch({ executablePath: executablePath ?? '', args: ['--no-sandbox'] });
    });
    afterAll(() => browser?.close());

    test('works without any network and runs an example with the admin key', { timeout: 120_000 }, async () => {
      const server = await startTestServer({}, { examples: [{ query: EXAMPLE }] });
      const { page, refused, errors } = await openGraphiql(server.url);
      const run = page.getByRole('button', { name: RUN });
      const response = page.locator('.result-window');

      await run.click();
      await response.getByText('ACCESS_KEY_MALFORMED').waitFor();

      await putKey(page, adminKey);
      await run.click();
      await response.getByText('"customers"').waitFor();

      const lines = await response.locator('.view-line').allInnerTexts();
      expect(lines.join('\n').replaceAll('\u00a0', ' ')).toContain('"name"');
      expect({ refused, errors }).toEqual({ refused: [], errors: [] });
      await server.close();
    });

    describe('over the demo', () => {
      let app: TestApp;
      let open: OpenPage;

      beforeAll(async () => {
        app = await startTestApp({ examples: DEMO_QUERIES.map(({ query }) => ({ query })) });
        const call = systemCall('test');
        await setUpBusiness(app.app, call, SHOP);
        await importFile(app, someCustomers(), { recordType: 'ORDERS', acceptQuality: true });
        await app.settle();
        await computeWhatIsKnown(app.app, call);
        open = await openGraphiql(app.server.url);
      });
      afterAll(() => app?.close());

      test('reads the whole schema', async () => {
        await putKey(open.page, app.adminKey);
        const answer = await answerTo<IntrospectionAnswer>(open.page, 'IntrospectionQuery', /re-fetch/i);
        expect(answer.errors).toBeUndefined();
        expect(answer.data.__schema.types.map(({ name }) => name)).toContain('Customer');
      });

      test('runs the three queries that are open as tabs', { timeout: 120_000 }, async () => {
        const { page, refused, errors } = open;
        const answers = new Map<string, DemoAnswer>();
        for (const [at, { query }] of DEMO_QUERIES.entries()) {
          const name = /^query (\w+)/m.exec(query)?.[1] ?? '';
          if (at > 0) {
            await page.getByRole('button', { name, exact: true }).click();
            await putKey(page, app.adminKey);
          }
          answers.set(name, await answerTo<DemoAnswer>(page, `"operationName":"${name}"`, RUN));
        }
        const answerOf = (name: string) => answers.get(name)?.data;
        expect([...answers.values()].map((answer) => answer.errors)).toEqual([undefined, undefined, undefined]);
        expect(answerOf('PeopleAtRisk')?.customers?.totalCount).toBe(47);
        expect(answerOf('PeopleAtRisk')?.customers?.edges[0]?.node).toMatchObject({
          health: { tier: 'POOR' },
          risk: { score: 100, category: 'CRITICAL' },
          loyalty: { tier: { name: 'Bronze' } },
          orders: { edges: expect.arrayContaining([{ node: expect.objectContaining({ amount: expect.anything() }) }]) },
        });
        expect(answerOf('AtAGlance')).toMatchObject({
          business: { companyName: 'Online Retail', demoClock: true },
          dashboard: {
            customers: 72,
            revenue: { current: { amount: { formatted: 'GBP 21,056.92' }, orders: 58 } },
            churn: { current: { rate: 2 / 35 } },
            health: { healthy: 8, neutral: 16, poor: 48, unknown: 0 },
            loyalty: { members: 72 },
          },
        });
        expect(answerOf('OneCustomer')?.customer).toMatchObject({
          churn: { status: 'CHURNED' },
          activity: { edges: expect.arrayContaining([{ node: expect.objectContaining({ name: 'order.returned' }) }]) },
        });
        expect({ refused, errors }).toEqual({ refused: [], errors: [] });
      });
    });
  },
);

interface DemoAnswer {
  readonly data: {
    readonly customers?: { readonly totalCount: number; readonly edges: readonly { readonly node: unknown }[] };
    readonly customer?: unknown;
  };
  readonly errors?: unknown;
}

interface IntrospectionAnswer {
  readonly data: { readonly __schema: { readonly types: readonly { readonly name: string }[] } };
  readonly errors?: unknown;
}

/** The rows of some customers of the demo's file, 17850 among them. */
function someCustomers(): string {
  const [header, ...rows] = gunzipSync(readFileSync(ONLINE_RETAIL)).toString().split('\n');
  return [header, ...rows.filter((row) => /,178[0-9]{2},"/.test(row))].join('\n');
}
