import { DateTime } from 'luxon';
import type { Call } from '../../../src/core/call.ts';
import { appendEvents, type NewEvent, newEvent } from '../../../src/core/events/index.ts';
import { newId } from '../../../src/core/ids.ts';
import type { Infrastructure } from '../../../src/core/module.ts';
import { BUSINESS } from '../../../src/core/settings/index.ts';
import { type JourneyRules, stageOf, stayOf, strengthOf } from './domain/journey.ts';
import { BANDS, type ScoreRules, scoreLoyalty } from './domain/score.ts';
import { bandChanged, stageChanged, standingsRecomputed } from './events.ts';
import { type Ambassadors, createAmbassadors } from './service-ambassadors.ts';
import { type Gathered, gather, inactivityDays, type StandingPorts } from './service-facts.ts';
import { createSegmentation, type Segmentation } from './service-segments.ts';
import { createTouchpoints, type Touchpoints } from './service-touchpoints.ts';
import { JOURNEY, LOYALTY_SCORE } from './settings.ts';
import {
  type KeptTouchpoint,
  lockStandings,
  type Standing,
  type StandingWrite,
  writeStandings,
  writeTouchpoints,
} from './store.ts';

/** Customers reckoned at once: bounds memory and the length of a transaction. */
const BATCH = 500;

export interface ReckonOptions {
  /** After an import: nothing is told of single customers. */
  readonly quiet?: boolean;
  /** Everybody is reckoned: a first score is nothing to tell of then. */
  readonly all?: boolean;
  /** The event that made each customer's standing due. */
  readonly causes?: ReadonlyMap<string, string>;
}

export interface StandingService extends Ambassadors, Segmentation, Touchpoints {
  /** Reckons score and journey of some customers anew; returns how many changed. Harmless when run twice. */
  reckon(call: Call, customerIds: readonly string[], options?: ReckonOptions): Promise<number>;
  /** Reckons everybody anew. */
  reckonAll(
    call: Call,
    options?: { readonly quiet?: boolean; readonly signal?: AbortSignal },
  ): Promise<{ customers: number; changed: number }>;
}

/** The rules in force, read once for a batch. */
interface Rules {
  readonly score: ScoreRules;
  readonly journey: JourneyRules;
  readonly inactivityDays: number;
  readonly timeZone: string;
}

export function createStandingService(infra: Infrastructure, ports: StandingPorts): StandingService {
  const { database, settings, clock } = infra;
  const { customers } = ports;

  const rulesNow = async (): Promise<Rules> => ({
    score: await settings.get(LOYALTY_SCORE),
    journey: await settings.get(JOURNEY),
    inactivityDays: await inactivityDays(infra),
    timeZone: (await settings.get(BUSINESS)).timeZone,
  });

  const reckonBatch = async (call: Call, ids: readonly string[], options: ReckonOptions): Promise<number> => {
    const at = clock.now();
    const known = await customers.byIds(ids);
    if (known.length === 0) return 0;
    const rules = await rulesNow();
    const gathered = await gather(infra, ports, known, rules.score, at);
    const monthOf = (moment: Date) => DateTime.fromJSDate(moment, { zone: rules.timeZone }).toFormat('yyyy-MM-01');
    const month = monthOf(at);
    return database.transaction(async (tx) => {
      const before = await lockStandings(tx, [...gathered.keys()]);
      // Who was erased or merged away meanwhile is left alone.
      const living = new Set((await customers.byIds([...gathered.keys()], tx)).map(({ id }) => id));
      const writes: StandingWrite[] = [];
      const told: Told = { events: [], touchpoints: [] };
      for (const [customerId, found] of gathered) {
        const previous = before.get(customerId) ?? null;
        // Somebody else has reckoned with later facts meanwhile.
        if (!living.has(customerId) || (previous !== null && previous.at > at)) continue;
        const cause = options.causes?.get(customerId) ?? null;
        const next = standingOf(customerId, at, found, rules, previous, cause);
        const differs = previous === null || !sameScore(previous, next);
        if (!differs && sameJourney(previous, next) && monthOf(previous.at) === month) continue;
        writes.push({ standing: next, month, differs });
        tell(told, call, previous, next, options);
      }
      await writeStandings(tx, writes);
      await writeTouchpoints(tx, told.touchpoints);
      await appendEvents(tx, call, clock, told.events);
      return writes.length;
    });
  };

  return {
    ...createAmbassadors(infra, ports),
    ...createSegmentation(infra),
    ...createTouchpoints(infra, ports),
    async reckon(call, customerIds, options = {}) {
      const ids = [...new Set(customerIds)].sort();
      let changed = 0;
      for (let start = 0; start < ids.length; start += BATCH) {
        changed += await reckonBatch(call, ids.slice(start, start + BATCH), options);
      }
      return changed;
    },
    async reckonAll(call, { quiet = false, signal } = {}) {
      let after: string | null = null;
      const total = { customers: 0, changed: 0 };
      for (;;) {
        signal?.throwIfAborted();
        const ids: string[] = await customers.idsAfter(after, BATCH);
        if (ids.length === 0) break;
        total.changed += await reckonBatch(call, ids, { quiet, all: true });
        total.customers += ids.length;
        after = ids.at(-1) as string;
      }
      await database.transaction((tx) =>
        appendEvents(tx, call, clock, [newEvent(standingsRecomputed, { customerId: null, payload: total })]),
      );
      return total;
    },
  };
}

function standingOf(
  customerId: string,
  at: Date,
  { facts, revenue }: Gathered,
  rules: Rules,
  previous: Standing | null,
  causeEventId: string | null,
): Standing {
  const loyalty = scoreLoyalty(facts, rules.score);
  const stay = stayOf(facts, rules.journey, rules.inactivityDays);
  const stage = stageOf(facts, loyalty, stay, rules.journey, rules.inactivityDays);
  return {
    ...loyalty,
    id: newId(),
    customerId,
    at,
    bandSince: previous !== null && previous.band === loyalty.band ? previous.bandSince : at,
    stage,
    stageSince: previous !== null && previous.stage === stage ? previous.stageSince : at,
    strength: strengthOf(facts, loyalty.score, rules.journey, rules.inactivityDays),
    stayProbability: stay?.probability ?? null,
    stayBasis: stay?.basis ?? null,
    referrals: facts.referrals,
    lastNps: facts.lastNps,
    revenueMinor: revenue?.amountMinor ?? null,
    revenueCurrency: revenue?.currency ?? null,
    causeEventId,
  };
}

const scoreKey = ({ score, band, coverage, stage, parts }: Standing): string =>
  JSON.stringify([score, band, coverage, stage, parts.map(({ value, weight }) => [value, weight])]);

/** Whether score, parts, band and stage are as they were. */
const sameScore = (a: Standing, b: Standing): boolean => scoreKey(a) === scoreKey(b);

const journeyKey = (s: Standing): string =>
  JSON.stringify([
    s.strength,
    s.stayProbability,
    s.stayBasis,
    s.referrals,
    s.lastNps,
    s.revenueMinor,
    s.revenueCurrency,
  ]);

/** Whether strength, probability to stay and what is kept beside them are as they were. */
const sameJourney = (a: Standing, b: Standing): boolean => journeyKey(a) === journeyKey(b);

interface Told {
  readonly events: NewEvent[];
  readonly touchpoints: KeptTouchpoint[];
}

/** Facts for others, and what moved the customer for its own story. Nobody starts by falling into the lowest band. */
function tell(told: Told, call: Call, previous: Standing | null, next: Standing, options: ReckonOptions): void {
  const { customerId, at } = next;
  const envelope = {
    customerId,
    ...(next.causeEventId === null ? {} : { call: { ...call, causationId: next.causeEventId } }),
  };
  const first = previous === null;
  if (previous?.band !== next.band && (!first || (options.all !== true && next.band !== 'SATISFIED'))) {
    const from = previous?.band ?? null;
    const up = from === null || BANDS.indexOf(next.band) < BANDS.indexOf(from);
    const payload = {
      from,
      to: next.band,
      direction: up ? ('UP' as const) : ('DOWN' as const),
      score: next.score,
      previousScore: previous?.score ?? null,
      coverage: next.coverage,
    };
    if (options.quiet !== true) told.events.push(newEvent(bandChanged, { ...envelope, payload }));
    const detail = { from, to: next.band, score: next.score };
    told.touchpoints.push({ id: newId(), customerId, at, kind: 'BAND_CHANGED', detail });
  }
  if (previous !== null && previous.stage !== next.stage) {
    const payload = { from: previous.stage, to: next.stage };
    if (options.quiet !== true) told.events.push(newEvent(stageChanged, { ...envelope, payload }));
    told.touchpoints.push({ id: newId(), customerId, at, kind: 'STAGE_CHANGED', detail: payload });
  }
}
