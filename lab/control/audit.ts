/** The API server's audit log of a lab: who asked for what, and by which right. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** One answered request, as far as it is of use here (audit.k8s.io/v1 Event, level Metadata). */
export interface AuditEvent {
  readonly verb: string;
  readonly requestURI: string;
  readonly user: { readonly username: string };
  /** Absent for paths that are no resources. */
  readonly objectRef?: {
    readonly resource?: string;
    readonly namespace?: string;
    readonly name?: string;
    readonly apiGroup?: string;
    readonly subresource?: string;
  };
  readonly responseStatus?: { readonly code?: number };
  readonly annotations?: Readonly<Record<string, string>>;
}

const policyFile = (folder: string): string => join(folder, 'audit-policy.json');
const logFile = (folder: string): string => join(folder, 'audit.log');

/** To be called before the API server starts: requests of the service accounts of these namespaces are logged. */
export function enableAudit(folder: string, namespaces: readonly string[]): void {
  const policy = {
    apiVersion: 'audit.k8s.io/v1',
    kind: 'Policy',
    omitStages: ['RequestReceived'],
    rules: [
      { level: 'Metadata', userGroups: namespaces.map((name) => `system:serviceaccounts:${name}`) },
      { level: 'None' },
    ],
  };
  writeFileSync(policyFile(folder), JSON.stringify(policy));
}

/** Flags of the API server; none where nobody enabled it. */
export function auditFlags(folder: string): readonly string[] {
  if (!existsSync(policyFile(folder))) return [];
  return [
    `--audit-policy-file=${policyFile(folder)}`,
    `--audit-log-path=${logFile(folder)}`,
    '--audit-log-mode=blocking',
  ];
}

/** What was logged so far. */
export function readAudit(folder: string): AuditEvent[] {
  const lines = readFileSync(logFile(folder), 'utf8').split('\n');
  return lines.filter((line) => line.endsWith('}')).map((line) => JSON.parse(line) as AuditEvent);
}
