import { DomainError } from '../../src/core/errors.ts';

/** A template that cannot be trusted with a customer. */
export class TemplateInvalid extends DomainError {
  constructor(template: string, part: string, fault: string) {
    super('COMMUNICATION_TEMPLATE_INVALID', `Template ${template}, ${part}: ${fault}. Nothing was saved or sent.`, {
      path: ['template', part],
      details: { template, part },
    });
  }
}
