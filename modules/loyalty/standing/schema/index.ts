import type { Builder } from '../../../../src/core/builder/index.ts';
import type { AccountTypes } from '../../ledger/schema/account.ts';
import type { StandingService } from '../service.ts';
import { ambassadorSchema } from './ambassadors.ts';
import { journeySchema } from './journey.ts';
import { bandType, scoreSchema } from './score.ts';
import { segmentSchema } from './segments.ts';

/** Scores, journeys, segmentation and ambassadors. */
export const standingSchema =
  (service: StandingService) =>
  (builder: Builder, account: AccountTypes): void => {
    const Band = bandType(builder);
    scoreSchema(builder, Band, account);
    journeySchema(builder, service, Band, account);
    segmentSchema(builder, service, Band);
    ambassadorSchema(builder, service, Band);
  };
