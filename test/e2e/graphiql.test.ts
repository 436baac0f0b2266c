import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { adminKey, startTestServer, type TestServer } from '../api/server.ts';
import { findChromium } from '../support/chromium.ts';

const executablePath = findChromium();
const example = '# The first customer\nquery First {\n  customers(first: 1) {\n    edges { node { name } }\n  }\n}\n';

describe.skipIf(executablePath === undefined)(
  executablePath === undefined ? 'GraphiQL (skipped: no Chromium here; apt-get install chromium)' : 'GraphiQL',
  () => {
    let server: TestServer;
    let browser: Browser;

    beforeAll(async () => {
      server = await startTestServer({}, { examples: [{ query: example }] });
      // Chromium's sandbox refuses to run as root.
      browser = await chromium.launch({ executablePath: executablePath ?? '', args: ['--no-sandbox'] });
    });
    afterAll(async () => {
      await browser?.close();
      await server?.close();
    });

    /** A page that may reach this server only; what else it asks for is written down and refused. */
    async function openGraphiql(): Promise<{ page: Page; refused: string[]; errors: string[] }> {
      const page = await browser.newPage({ permissions: ['clipboard-write'] });
      const refused: string[] = [];
      const errors: string[] = [];
      page.on('pageerror', (error) => errors.push(error.message));
      await page.route(
        (url) => url.origin !== server.url && !['data:', 'blob:'].includes(url.protocol),
        (route) => {
          refused.push(route.request().url());
          return route.abort();
        },
      );
      await page.goto(`${server.url}/graphql`);
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

    test('works without any network and runs an example with the admin key', { timeout: 120_000 }, async () => {
      const { page, refused, errors } = await openGraphiql();
      const run = page.getByRole('button', { name: /execute query/i });
      const response = page.locator('.result-window');

      await run.click();
      await response.getByText('ACCESS_KEY_MALFORMED').waitFor();

      await putKey(page, adminKey);
      await run.click();
      await response.getByText('"customers"').waitFor();

      const lines = await response.locator('.view-line').allInnerTexts();
      expect(lines.join('\n').replaceAll('\u00a0', ' ')).toContain('"name"');
      expect({ refused, errors }).toEqual({ refused: [], errors: [] });
    });
  },
);
