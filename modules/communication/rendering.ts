import { createHash } from 'node:crypto';
import Handlebars from 'handlebars';
import juice from 'juice';
import { TemplateInvalid } from './errors.ts';

/** The four texts of an e-mail template, as written. */
export interface TemplateSource {
  readonly subject: string;
  readonly preview: string;
  readonly html: string;
  readonly text: string;
}

/** An e-mail ready to be sent to one person. */
export interface RenderedMail {
  readonly subject: string;
  readonly preview: string;
  readonly html: string;
  readonly text: string;
}

/** A template that was checked: what it may use is what it is given. */
export interface MailTemplate {
  readonly name: string;
  /** SHA-256 of the sources: says which wording a message had. */
  readonly hash: string;
  /** @throws TemplateInvalid when a variable is missing after all; nothing half-filled comes back */
  render(variables: Readonly<Record<string, unknown>>): RenderedMail;
}

const PARTS = ['subject', 'preview', 'html', 'text'] as const;
const HELPERS = new Set(['if', 'unless', 'each', 'with', 'number']);

type Compiled = Record<(typeof PARTS)[number], Handlebars.TemplateDelegate>;

/**
 * Compiles a template in an environment of its own (no global helpers, no prototype access) and checks it: its syntax,
 * that it calls only known helpers and partials, and that it renders with `example` without one missing variable.
 * @param example variables of the shape the template will get; optional ones both present and absent, in turn
 * @throws TemplateInvalid naming the part and the fault
 */
export function compileTemplate(
  name: string,
  source: TemplateSource,
  partials: Readonly<Record<string, string>>,
  examples: readonly Readonly<Record<string, unknown>>[],
): MailTemplate {
  const handlebars = Handlebars.create();
  handlebars.registerHelper('number', (value: unknown) => new Intl.NumberFormat('en').format(Number(value)));
  for (const [partial, text] of Object.entries(partials)) handlebars.registerPartial(partial, text);
  const compiled = Object.fromEntries(
    PARTS.map((part) => {
      checkCalls(name, part, parse(name, part, source[part]), partials);
      // Only HTML is escaped: in a subject or a text an ampersand is an ampersand.
      const options = {
        strict: true,
        knownHelpersOnly: true,
        knownHelpers: { number: true },
        noEscape: part !== 'html',
      };
      return [part, handlebars.compile(source[part], options)];
    }),
  ) as Compiled;
  const hash = createHash('sha256')
    .update(JSON.stringify([source, partials]))
    .digest('hex');
  const template: MailTemplate = { name, hash, render: (variables) => render(name, compiled, variables) };
  for (const example of examples) template.render(example);
  return template;
}

function render(name: string, compiled: Compiled, given: Readonly<Record<string, unknown>>): RenderedMail {
  const run = (part: keyof Compiled, variables: Readonly<Record<string, unknown>>): string => {
    try {
      return compiled[part](variables, { allowProtoMethodsByDefault: false, allowProtoPropertiesByDefault: false });
    } catch (error) {
      throw new TemplateInvalid(name, part, error instanceof Error ? error.message : String(error));
    }
  };
  // A header is one line, whatever a customer's name contains.
  const oneLine = (text: string) => text.replace(/\s+/g, ' ').trim();
  const subject = oneLine(run('subject', given));
  const preview = oneLine(run('preview', given));
  const variables = { locale: 'en', ...given, subject, preview };
  return { subject, preview, html: juice(run('html', variables)), text: `${run('text', variables).trim()}\n` };
}

function parse(name: string, part: string, text: string): hbs.AST.Program {
  try {
    return Handlebars.parse(text);
  } catch (error) {
    throw new TemplateInvalid(name, part, error instanceof Error ? error.message : String(error));
  }
}

function checkCalls(
  name: string,
  part: string,
  program: hbs.AST.Program,
  partials: Readonly<Record<string, string>>,
): void {
  const fail = (what: string) => {
    throw new TemplateInvalid(name, part, what);
  };
  const visitor = new Handlebars.Visitor();
  const checkHelper = (node: hbs.AST.MustacheStatement | hbs.AST.BlockStatement | hbs.AST.SubExpression) => {
    const path = node.path as hbs.AST.PathExpression;
    const called = node.params.length > 0 || node.hash !== undefined || node.type === 'BlockStatement';
    if (called && !HELPERS.has(path.original)) {
      fail(`there is no helper "${path.original}"; these exist: ${[...HELPERS].join(', ')}`);
    }
  };
  visitor.MustacheStatement = function (node: hbs.AST.MustacheStatement) {
    checkHelper(node);
    Handlebars.Visitor.prototype.MustacheStatement.call(this, node);
  };
  visitor.BlockStatement = function (node: hbs.AST.BlockStatement) {
    checkHelper(node);
    Handlebars.Visitor.prototype.BlockStatement.call(this, node);
  };
  const checkPartial = (node: hbs.AST.PartialStatement | hbs.AST.PartialBlockStatement) => {
    const partial = (node.name as hbs.AST.PathExpression).original;
    if (partials[partial] === undefined)
      fail(`there is no partial "${partial}"; these exist: ${Object.keys(partials).join(', ')}`);
  };
  visitor.PartialStatement = checkPartial;
  visitor.PartialBlockStatement = function (node: hbs.AST.PartialBlockStatement) {
    checkPartial(node);
    Handlebars.Visitor.prototype.PartialBlockStatement.call(this, node);
  };
  visitor.accept(program);
}
