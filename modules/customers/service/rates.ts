import { audit } from '../../../src/core/audit.ts';
import type { Call } from '../../../src/core/call.ts';
import type { Queryable } from '../../../src/core/database/index.ts';
import { DomainError } from '../../../src/core/errors.ts';
import { appendEvents, newEvent } from '../../../src/core/events/index.ts';
import { BUSINESS } from '../../../src/core/settings/index.ts';
import type { ConvertMoney, DatedRate } from '../contract.ts';
import { exchange } from '../domain/exchange.ts';
import { exchangeRatesChanged } from '../events.ts';
import { exchangeRateInput, invalid, readItem } from '../inputs.ts';
import type { Ground } from './upsert.ts';

/** What one unit of `currency` is worth in `reportingCurrency` from a day on. */
export interface ExchangeRateRow {
  readonly currency: string;
  readonly reportingCurrency: string;
  /** The first day it holds, UTC. */
  readonly validFrom: string;
  /** Decimal text. */
  readonly rate: string;
}

/** Sets dated rates; a rate of the same day is replaced. Amounts already converted keep the rate of their day. */
export async function setExchangeRates(
  ground: Ground,
  call: Call,
  inputs: readonly unknown[],
): Promise<(ExchangeRateRow | DomainError)[]> {
  const { reportingCurrency: ours } = await ground.settings.get(BUSINESS);
  const items = inputs.map((raw, index) => {
    const path = ['input', index];
    const input = readItem(exchangeRateInput, raw, path);
    if (input instanceof DomainError) return input;
    const reportingCurrency = input.reportingCurrency ?? ours;
    if (reportingCurrency === input.currency) {
      return invalid([...path, 'currency'], input.currency, 'is the reporting currency itself; its rate is 1');
    }
    return { currency: input.currency, reportingCurrency, validFrom: input.validFrom, rate: input.rate };
  });
  const rates = new Map<string, ExchangeRateRow>();
  for (const item of items) {
    if (!(item instanceof DomainError)) rates.set(`${item.currency} ${item.reportingCurrency} ${item.validFrom}`, item);
  }
  if (rates.size === 0) return items;
  const rows = [...rates.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
  await ground.database.transaction(async (tx) => {
    await tx.query(
      `insert into exchange_rate (currency, reporting_currency, valid_from, rate, updated_at)
       select c, r, d, v, $5 from unnest($1::text[], $2::text[], $3::date[], $4::numeric[]) as t(c, r, d, v)
       on conflict (currency, reporting_currency, valid_from) do update set rate = excluded.rate, updated_at = excluded.updated_at`,
      [
        rows.map((row) => row.currency),
        rows.map((row) => row.reportingCurrency),
        rows.map((row) => row.validFrom),
        rows.map((row) => row.rate),
        ground.systemClock.now(),
      ],
    );
    const detail = {
      rates: rows.map(({ currency, reportingCurrency, validFrom, rate }) => ({
        currency,
        reportingCurrency,
        validFrom,
        rate,
      })),
    };
    await audit(tx, call, ground.systemClock, {
      action: 'customers.setExchangeRates',
      subject: 'exchange_rate',
      detail,
    });
    const currencies = [...new Set(rows.map((row) => row.currency))];
    await appendEvents(tx, call, ground.clock, [
      newEvent(exchangeRatesChanged, { customerId: null, payload: { currencies } }),
    ]);
  });
  return items;
}

/** Converts amounts by the rate of their day; null where there is none. */
export type Convert = ConvertMoney;

/** Reads the rates that the currencies need, by one statement, or none when all amounts are in the reporting currency. */
export async function converter(
  queryable: Queryable,
  reportingCurrency: string,
  currencies: readonly string[] | 'all',
): Promise<Convert> {
  const foreign =
    currencies === 'all' ? null : [...new Set(currencies)].filter((currency) => currency !== reportingCurrency);
  const rates =
    foreign?.length === 0
      ? []
      : await queryable.query<{ currency: string; from: string; rate: string }>(
          `select currency, valid_from::text as from, rate from exchange_rate
           where reporting_currency = $1 and ($2::text[] is null or currency = any($2::text[])) order by valid_from desc`,
          [reportingCurrency, foreign],
          { name: 'exchange_rates' },
        );
  return (amountMinor, currency, at) => {
    if (currency === reportingCurrency) return amountMinor;
    const day = at.toISOString().slice(0, 10);
    const rate = rates.find((one) => one.currency === currency && one.from <= day);
    return rate === undefined ? null : exchange(amountMinor, currency, reportingCurrency, rate.rate);
  };
}

/** All rates of the reporting currency, in a fixed order. */
export function datedRates(queryable: Queryable, reportingCurrency: string): Promise<DatedRate[]> {
  return queryable.query<DatedRate>(
    `select currency, valid_from::text as "validFrom", rate from exchange_rate
     where reporting_currency = $1 order by currency, valid_from`,
    [reportingCurrency],
    { name: 'exchange_rates_dated' },
  );
}

/** The rates of the reporting currency in force on a day. */
export async function ratesOn(ground: Ground, day: string | null): Promise<ExchangeRateRow[]> {
  const { reportingCurrency } = await ground.settings.get(BUSINESS);
  return ground.database.query<ExchangeRateRow>(
    `select distinct on (currency) currency, reporting_currency as "reportingCurrency", valid_from::text as "validFrom", rate
     from exchange_rate where reporting_currency = $1 and valid_from <= $2::date order by currency, valid_from desc`,
    [reportingCurrency, day ?? ground.clock.now().toISOString().slice(0, 10)],
    { name: 'exchange_rates_on' },
  );
}
