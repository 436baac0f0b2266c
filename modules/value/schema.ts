import type { Builder } from '../../src/core/builder/index.ts';
import { adviceEnum, adviceSchema } from './schema/advice.ts';
import { featuresSchema } from './schema/features.ts';
import { segmentsSchema } from './schema/segments.ts';
import { worthSchema } from './schema/worth.ts';
import type { ValueService } from './service.ts';

/** Features, segments, advice and lifetime value in the API. */
export const valueSchema = (service: ValueService) => (builder: Builder) => {
  const Advice = adviceEnum(builder);
  featuresSchema(builder, service);
  segmentsSchema(builder, service, Advice);
  adviceSchema(builder, service, Advice);
  worthSchema(builder, service);
};
