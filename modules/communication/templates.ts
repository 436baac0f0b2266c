import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compileTemplate, type MailTemplate, type TemplateSource } from './rendering.ts';

/** What the tier-upgrade mail is given. Everything is always there: what can be absent is null. */
export interface TierUpgradeVariables {
  readonly locale: string;
  readonly business: {
    readonly companyName: string;
    readonly productName: string;
    readonly supportAddress: string | null;
  };
  readonly contact: { readonly name: string };
  readonly tier: { readonly name: string; readonly benefits: readonly string[] };
  readonly previousTier: { readonly name: string };
  readonly points: { readonly earned: number; readonly balance: number };
  readonly nextTier: { readonly name: string; readonly pointsToGo: number } | null;
}

const EXAMPLE: TierUpgradeVariables = {
  locale: 'en',
  business: { companyName: 'Example Ltd', productName: 'Example', supportAddress: null },
  contact: { name: 'Ada' },
  tier: { name: 'Silver', benefits: ['24-hour support'] },
  previousTier: { name: 'Bronze' },
  points: { earned: 1_000, balance: 1_000 },
  nextTier: null,
};
const EXAMPLE_WITH_ALL: TierUpgradeVariables = {
  ...EXAMPLE,
  business: { ...EXAMPLE.business, supportAddress: 'help@example.com' },
  nextTier: { name: 'Gold', pointsToGo: 1_500 },
};

/** The shipped templates, compiled and checked. */
export interface Templates {
  readonly tierUpgrade: MailTemplate;
}

const ROOT = new URL('../../templates/', import.meta.url);

const readText = (path: string): string => readFileSync(fileURLToPath(new URL(path, ROOT)), 'utf8');

function readPartials(): Record<string, string> {
  const files = readdirSync(fileURLToPath(new URL('partials/', ROOT))).filter((file) => file.endsWith('.hbs'));
  return Object.fromEntries(files.map((file) => [file.slice(0, -'.hbs'.length), readText(`partials/${file}`)]));
}

function readSource(name: string): TemplateSource {
  const part = (file: string) => readText(`${name}/${file}.hbs`);
  return { subject: part('subject'), preview: part('preview'), html: part('html'), text: part('text') };
}

/**
 * Reads `templates/` and checks each template with examples that have and have not the optional variables.
 * @throws TemplateInvalid: a server with a broken template does not start
 */
export function loadTemplates(): Templates {
  const partials = readPartials();
  const name = 'loyalty/tier-upgrade';
  const examples = [EXAMPLE, EXAMPLE_WITH_ALL].map((example) => ({ ...example }));
  return { tierUpgrade: compileTemplate(name, readSource(name), partials, examples) };
}
