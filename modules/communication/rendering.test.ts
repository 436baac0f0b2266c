import { describe, expect, test } from 'vitest';
import { TemplateInvalid } from './errors.ts';
import { compileTemplate, type TemplateSource } from './rendering.ts';
import { loadTemplates } from './templates.ts';

const source = (parts: Partial<TemplateSource>): TemplateSource => ({
  subject: 'Hello',
  preview: 'Hi',
  html: '<p>Hi</p>',
  text: 'Hi',
  ...parts,
});
const compile = (parts: Partial<TemplateSource>, example: Readonly<Record<string, unknown>> = {}) =>
  compileTemplate('test/template', source(parts), {}, [example]);

describe('templates', () => {
  test.each([
    ['a missing variable', { text: 'Dear {{contact.name}}' }],
    ['a missing member', { html: '{{contact.nick}}' }],
    ['broken syntax', { subject: '{{#if contact}}' }],
    ['an unknown helper', { text: '{{shout contact.name}}' }],
    ['an unknown partial', { html: '{{> footer}}' }],
    ['a way to the prototype', { text: '{{contact.constructor.name}}' }],
  ])('%s is an error when the template is saved', (_what, parts) => {
    const example = 'text' in parts && parts.text === 'Dear {{contact.name}}' ? {} : { contact: { name: 'Ada' } };
    expect(() => compile(parts, example)).toThrow(TemplateInvalid);
  });

  test('HTML is escaped, subject and text are not, and a subject is one line', () => {
    const template = compile({ subject: 'For {{name}}', html: '<b>{{name}}</b>', text: '{{name}}' }, { name: 'x' });
    const mail = template.render({ name: 'Tom & <Co>\r\nBcc: all@example.com' });
    expect(mail.subject).toBe('For Tom & <Co> Bcc: all@example.com');
    expect(mail.html).toContain('Tom &amp; &lt;Co&gt;');
    expect(mail.text).toContain('Tom & <Co>');
  });

  test('the hash tells two wordings apart', () => {
    expect(compile({ text: 'a' }).hash).not.toBe(compile({ text: 'b' }).hash);
  });

  test('the shipped templates are good', () => {
    expect(loadTemplates().tierUpgrade.name).toBe('loyalty/tier-upgrade');
  });
});
