import { USAGE_EXPECTATIONS } from '../../../modules/risk/contract.ts';
import type { Call } from '../../core/call.ts';
import { BUSINESS, BUSINESS_CLOCK } from '../../core/settings/index.ts';
import type { Application } from '../application.ts';

/** What a demo says of its business; the rest stays as it is by default. */
export interface DemoBusiness {
  readonly profile: Partial<typeof BUSINESS.default>;
  readonly usage: Partial<typeof USAGE_EXPECTATIONS.default>;
  /** ISO time at which the business's clock begins: "now" makes sense for old data. */
  readonly clockStartsAt: string;
}

/** Makes the business of the demo, once: what an operator changed since stays as it is. */
export async function setUpBusiness({ infra }: Application, call: Call, business: DemoBusiness): Promise<void> {
  const { settings, systemClock } = infra;
  const isUntouched = async (key: string): Promise<boolean> => (await settings.history(key, 1)).length === 0;
  if (await isUntouched(BUSINESS.key))
    await settings.change(call, BUSINESS.key, { ...BUSINESS.default, ...business.profile });
  if (await isUntouched(USAGE_EXPECTATIONS.key))
    await settings.change(call, USAGE_EXPECTATIONS.key, { ...USAGE_EXPECTATIONS.default, ...business.usage });
  if (await isUntouched(BUSINESS_CLOCK.key)) {
    const setAt = systemClock.now().toISOString();
    await settings.change(call, BUSINESS_CLOCK.key, { mode: 'demo', startsAt: business.clockStartsAt, setAt });
  }
}

/** Whether no start was cut off between the import and the reckoning. */
export async function isReckoned({ composition }: Application): Promise<boolean> {
  return (await composition.services.loyalty.programme()).members > 0;
}

/** A start that was cut off trains no second model. */
const TRAINING_KEY = 'demo';

/** Everybody joins the programme, and what the modules know is reckoned before anybody asks. */
export async function computeWhatIsKnown({ composition }: Application, call: Call): Promise<void> {
  const { loyalty, standing, churn, churnPrediction, risk, value } = composition.services;
  await value.refresh(call);
  await churn.refreshAll(call);
  const training = await churnPrediction.requestTraining(call, TRAINING_KEY);
  await churnPrediction.runTraining(call, training.id, new AbortController().signal, true);
  await churnPrediction.score(call);
  await risk.assessAll(call);
  await loyalty.enrolEverybody(call);
  await standing.reckonAll(call, { quiet: true });
}
