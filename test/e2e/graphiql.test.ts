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
      const page = await browser.newPage();
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

    test('works without any network and runs an example with the admin key', {
      timeout: 120_000,
      retry: 2,
    }, async () => {
      const { page, refused, errors } = await openGraphiql();
      const run = page.getByRole('button', { name: /execute query/i });
      const response = page.locator('.result-window');

      await run.click();
      await response.getByText('ACCESS_KEY_MALFORMED').waitFor();

      // The place for the key is there; a double click takes the word, and what is typed replaces it.
      const place = page.getByText('"Bearer hf_your_key"');
      const { width, height } = (await place.boundingBox()) ?? { width: 0, height: 0 };
      await place.dblclick({ position: { x: width * 0.75, y: height / 2 } });
      await page.keyboard.insertText(adminKey);
      await run.click();
      await response.getByText('"customers"').waitFor();

      const lines = await response.locator('.view-line').allInnerTexts();
      expect(lines.join('\n').replaceAll('\u00a0', ' ')).toContain('"name"');
      expect({ refused, errors }).toEqual({ refused: [], errors: [] });
    });
  },
);
