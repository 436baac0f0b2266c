/** What the benchmarks use of autocannon, which brings no types along. */
declare module 'autocannon' {
  interface Request {
    readonly method: 'POST';
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  }
  interface Options {
    readonly url: string;
    readonly connections: number;
    readonly duration: number;
    /** One after another on each connection; else the one request described here, again and again. */
    readonly requests?: readonly Request[];
    readonly method?: Request['method'];
    readonly headers?: Request['headers'];
    readonly body?: string;
    /** Requests a second over all connections; as many as there can be when left out. */
    readonly overallRate?: number;
  }
  interface Result {
    readonly requests: { readonly average: number; readonly total: number };
    /** In milliseconds. */
    readonly latency: { readonly p50: number; readonly p99: number; readonly max: number };
    readonly errors: number;
    readonly non2xx: number;
  }
  interface Run extends PromiseLike<Result> {
    /** Ends before its time; the result is of what was done. */
    stop(): void;
  }
  export default function autocannon(options: Options): Run;
}
