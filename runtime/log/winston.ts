/** The program's log: compact JSON, one record a line, on standard output. The only place that knows winston. */
import type { Writable } from 'node:stream';
import winston from 'winston';
import type { LogFields, Logger } from './logger.ts';
import { toPlain } from './plain.ts';

/** MetalLB's level names; `all` is `debug`. */
export const logLevels = ['all', 'debug', 'info', 'warn', 'error', 'none'] as const;
export type LogLevel = (typeof logLevels)[number];

export interface RootLogger extends Logger {
  /** Resolves when everything logged so far has left the process. Later records are dropped. */
  close(): Promise<void>;
}

export interface LoggerOptions {
  readonly level: LogLevel;
  /** Field `program` of each record. */
  readonly program: string;
  readonly stream?: Writable;
}

const severities = { error: 0, warn: 1, info: 2, debug: 3 };
type Severity = keyof typeof severities;

/** Fields that come from us and that nobody may overwrite. */
interface Record extends winston.Logform.TransformableInfo {
  readonly fields?: LogFields;
}

const compactJson = winston.format.printf((info) => {
  const { level, message, fields } = info as Record;
  const head = { ts: new Date().toISOString(), level, msg: message };
  return JSON.stringify({ ...head, ...(toPlain(fields ?? {}) as object), ...head });
});

export function createLogger(options: LoggerOptions): RootLogger {
  const stream = options.stream ?? process.stdout;
  const root = winston.createLogger({
    levels: severities,
    level: options.level === 'all' || options.level === 'none' ? 'debug' : options.level,
    silent: options.level === 'none',
    format: compactJson,
    transports: [new winston.transports.Stream({ stream })],
  });
  const logger = childOf(root, { program: options.program });
  return { ...logger, close: () => close(root, stream) };
}

function childOf(root: winston.Logger, inherited: LogFields): Logger {
  const log = (level: Severity, message: string, fields?: LogFields) => {
    if (root.isLevelEnabled(level)) root.log({ level, message, fields: { ...inherited, ...fields } });
  };
  return {
    debug: (message, fields) => log('debug', message, fields),
    info: (message, fields) => log('info', message, fields),
    warn: (message, fields) => log('warn', message, fields),
    error: (message, fields) => log('error', message, fields),
    child: (fields) => childOf(root, { ...inherited, ...fields }),
  };
}

async function close(root: winston.Logger, stream: Writable): Promise<void> {
  const finished = new Promise((resolve) => root.once('finish', resolve));
  root.end();
  await finished;
  if (!stream.writable) return;
  await new Promise<void>((resolve) => stream.write('', () => resolve()));
}
