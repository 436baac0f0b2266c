import { expect, test } from 'vitest';
import { FIELDS, mappingProblem, RECORD_TYPES, suggestMapping, unmappedRequired } from './fields.ts';

test('finds the columns of Online Retail', () => {
  const header = [
    'InvoiceNo',
    'StockCode',
    'Description',
    'Quantity',
    'InvoiceDate',
    'UnitPrice',
    'CustomerID',
    'Country',
  ];
  const mapping = suggestMapping('ORDERS', header);
  expect(Object.fromEntries(mapping.map(({ field, column }) => [field, column]))).toEqual({
    orderId: 'InvoiceNo',
    product: 'StockCode',
    description: 'Description',
    quantity: 'Quantity',
    unitPrice: 'UnitPrice',
    placedAt: 'InvoiceDate',
    customerExternalId: 'CustomerID',
    country: 'Country',
  });
  expect(unmappedRequired('ORDERS', mapping)).toEqual([]);
});

test('what is given stands, and its column serves no other field', () => {
  const given = [{ field: 'customerExternalId', column: 'id' }];
  expect(suggestMapping('EVENTS', ['id', 'event', 'time'], given)).toEqual([
    ...given,
    { field: 'name', column: 'event' },
    { field: 'at', column: 'time' },
  ]);
});

test.each(RECORD_TYPES)('%s: every field is found by its own name, and by every name known for it alone', (type) => {
  for (const { name, known } of FIELDS[type]) {
    expect(suggestMapping(type, [name])).toContainEqual({ field: name, column: name });
    for (const column of known) expect(suggestMapping(type, [column])).toHaveLength(1);
  }
});

test('names what is wrong with a mapping', () => {
  expect(mappingProblem('CONTACTS', [{ field: 'phone', column: 'Tel' }])).toContain('"phone" is no field of CONTACTS');
  expect(mappingProblem('CONTACTS', [{ field: 'email', column: ' ' }])).toContain('a column without a name');
  expect(mappingProblem('CONTACTS', [{ field: 'email', column: 'Mail' }])).toBeNull();
  expect(unmappedRequired('CONTACTS', [{ field: 'email', column: 'Mail' }])).toEqual(['customerExternalId']);
});
