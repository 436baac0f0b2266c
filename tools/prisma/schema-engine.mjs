#!/usr/bin/env node
// Stands in for Prisma's native schema engine (PRISMA_SCHEMA_ENGINE_BINARY names this file): reads the options that
// the command line gives that program, and speaks its protocol, JSON-RPC in lines over stdin and stdout.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { openSchemaEngine, runDatabaseCommand } from './engine.mjs';

const options = parseArguments(process.argv.slice(2));
if (options.version) process.stdout.write('schema-engine-cli wasm\n');
else if (options.command !== undefined) await answerCommand(options);
else await answerRequests(options);

function parseArguments(args) {
  const parsed = { datamodels: [], datasource: {} };
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    if (arg === '--version' || arg === '-v') parsed.version = true;
    else if (arg === 'cli') parsed.command = args[++i];
    else if (arg === '--datasource') parsed.datasource = JSON.parse(args[++i]);
    else if (arg === '--datamodels') parsed.datamodels.push([args[++i], readFileSync(args[i], 'utf8')]);
    else if (arg.startsWith('--')) i++; // An option with a value that this engine has no use for.
  }
  return parsed;
}

async function answerCommand({ command, datasource }) {
  try {
    await runDatabaseCommand(command, datasource.url);
  } catch (error) {
    const line = {
      timestamp: new Date().toISOString(),
      level: 'ERROR',
      fields: { message: error.message, error_code: error.prismaCode },
      target: 'schema_engine::logger',
    };
    // The command line drops the first line.
    process.stderr.write(`\n${JSON.stringify(line)}\n`);
    process.exitCode = 1;
  }
}

async function answerRequests({ datamodels, datasource }) {
  let engine;
  const open = () => {
    engine ??= openSchemaEngine({ ...datasource, datamodels: datamodels.length > 0 ? datamodels : undefined });
    return engine;
  };
  // One request after the other: the engine holds one connection.
  for await (const line of createInterface({ input: process.stdin })) {
    const { id, method, params } = JSON.parse(line);
    // A line without a method answers one of our prints.
    if (method !== undefined) await answer(id, method, params, open);
  }
  process.exit(0);
}

async function answer(id, method, params, open) {
  try {
    const engine = await open();
    // The protocol's name for it is older than the library's.
    const name = method === 'getDatabaseVersion' ? 'version' : method;
    if (typeof engine[name] !== 'function') throw new Error(`The schema engine has no method "${method}".`);
    const result = await engine[name](params);
    if (method === 'diff' && result?.stdout) {
      send({ jsonrpc: '2.0', id: `print-${id}`, method: 'print', params: { content: result.stdout } });
    }
    send({ jsonrpc: '2.0', id, result: result ?? {} });
  } catch (error) {
    const code = error.code ?? error.error_code;
    const data = {
      is_panic: false,
      message: error.message ?? String(error),
      meta: error.meta ?? null,
      error_code: typeof code === 'string' ? code : undefined,
    };
    send({
      jsonrpc: '2.0',
      id,
      error: { code: 4466, message: 'An error happened. Check the data field for details.', data },
    });
  }
}

function send(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
