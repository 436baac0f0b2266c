import { createTransport } from 'nodemailer';

/** A mail on its way out. */
export interface OutgoingMail {
  /** Becomes the Message-ID: a mail sent twice by a crash is recognised as one by mail programs. */
  readonly id: string;
  readonly to: string;
  readonly subject: string;
  readonly html: string;
  readonly text: string;
}

/** The way to the mail server. */
export interface MailTransport {
  /** Resolves when the server has accepted the mail; rejects with its answer (`responseCode`). */
  send(mail: OutgoingMail): Promise<void>;
  close(): void;
}

export interface SmtpOptions {
  readonly url: string;
  readonly from: string;
  readonly mailsPerSecond: number;
}

const CONNECTION_TIMEOUT_MS = 10_000;
const SOCKET_TIMEOUT_MS = 30_000;

/** SMTP by nodemailer: a pool of connections, limited in rate, bounded in time. */
export function smtpTransport({ url, from, mailsPerSecond }: SmtpOptions): MailTransport {
  const transport = createTransport({
    url,
    pool: true,
    maxConnections: 4,
    rateDelta: 1_000,
    rateLimit: mailsPerSecond,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    greetingTimeout: CONNECTION_TIMEOUT_MS,
    socketTimeout: SOCKET_TIMEOUT_MS,
  });
  const domain = /@([^>\s]+)>?\s*$/.exec(from)?.[1] ?? 'localhost';
  return {
    async send({ id, to, subject, html, text }) {
      await transport.sendMail({ from, to, subject, html, text, messageId: `<${id}@${domain}>` });
    },
    close: () => transport.close(),
  };
}

/** Whether the server has refused this mail for good (SMTP 5yz, RFC 5321 section 4.2.1), so that trying again is useless. */
export function isPermanentRefusal(error: unknown): boolean {
  const code = (error as { responseCode?: unknown }).responseCode;
  return typeof code === 'number' && code >= 500 && code < 600;
}
