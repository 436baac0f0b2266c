import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compileTemplate, type MailTemplate, type TemplateSource } from './rendering.ts';

/** What every mail is given. Everything is always there: what can be absent is null. */
export interface CommonVariables {
  readonly locale: string;
  readonly business: {
    readonly companyName: string;
    readonly productName: string;
    readonly supportAddress: string | null;
  };
  readonly contact: { readonly name: string };
}

/** What the tier-upgrade mail is given. */
export interface TierUpgradeVariables extends CommonVariables {
  readonly tier: { readonly name: string; readonly benefits: readonly string[] };
  readonly previousTier: { readonly name: string };
  readonly points: { readonly earned: number; readonly balance: number };
  readonly nextTier: { readonly name: string; readonly pointsToGo: number } | null;
}

const COMMON: CommonVariables = {
  locale: 'en',
  business: { companyName: 'Example Ltd', productName: 'Example', supportAddress: null },
  contact: { name: 'Ada' },
};
const ALL_COMMON: CommonVariables = { ...COMMON, business: { ...COMMON.business, supportAddress: 'help@example.com' } };

const EXAMPLE: TierUpgradeVariables = {
  ...COMMON,
  tier: { name: 'Silver', benefits: ['24-hour support'] },
  previousTier: { name: 'Bronze' },
  points: { earned: 1_000, balance: 1_000 },
  nextTier: null,
};
const EXAMPLE_WITH_ALL: TierUpgradeVariables = {
  ...EXAMPLE,
  ...ALL_COMMON,
  nextTier: { name: 'Gold', pointsToGo: 1_500 },
};

/** The shipped templates, compiled and checked. */
export interface Templates {
  readonly tierUpgrade: MailTemplate;
  readonly anniversary: MailTemplate;
  readonly milestone: MailTemplate;
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
  const load = (name: string, examples: readonly object[]) =>
    compileTemplate(
      name,
      readSource(name),
      partials,
      examples.map((example) => ({ ...example })),
    );
  return {
    tierUpgrade: load('loyalty/tier-upgrade', [EXAMPLE, EXAMPLE_WITH_ALL]),
    anniversary: load('loyalty/anniversary', [
      { ...COMMON, years: 1, oneYear: true, points: 0, badge: null, milestone: null },
      { ...ALL_COMMON, years: 5, oneYear: false, points: 50, badge: 'Veteran', milestone: 'Five years' },
    ]),
    milestone: load('loyalty/milestone', [
      { ...COMMON, milestone: { name: '10 orders' }, points: 0, badge: null },
      { ...ALL_COMMON, milestone: { name: '10 orders' }, points: 50, badge: 'Regular' },
    ]),
  };
}
