import pg from 'pg';

/** A connection on which statements wait for one another in the database, and not on their way there. */
export interface Pipeline {
  /** Sends a statement behind those under way; each is a transaction of its own, and one that fails leaves the next alone. */
  send(config: pg.QueryConfig): Promise<pg.QueryResult>;
  close(): Promise<void>;
}

/** Connects at the first statement, and anew at the next one after the connection was lost. */
export function openPipeline(config: pg.ClientConfig): Pipeline {
  let connection: Promise<pg.Client> | undefined;

  const connect = (): Promise<pg.Client> => {
    const client = new pg.Client({ ...config, pipeline: true });
    const opened = client.connect().then(() => client);
    const forget = () => {
      if (connection === opened) connection = undefined;
    };
    // Statements under way are told by their own answers.
    client.on('error', forget);
    client.on('end', forget);
    opened.catch(forget);
    return opened;
  };

  return {
    async send(statement) {
      connection ??= connect();
      const client = await connection;
      return client.query(statement);
    },
    async close() {
      const client = await connection?.catch(() => undefined);
      await client?.end();
    },
  };
}
