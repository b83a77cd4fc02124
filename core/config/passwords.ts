/** Where the password of a session comes from: rules PEER-15 to PEER-18, and PEER-24 of our own. */
import type { Ingested } from '#core/api/ingest.ts';
import type { Finding } from '#core/config/problems.ts';
import type { SecretView } from '#core/model/views.ts';

/** Secrets of our namespace by name; `passthrough`: somebody else looks them up. */
export type SecretIndex = ReadonlyMap<string, SecretView> | 'passthrough';

const BASIC_AUTH = 'kubernetes.io/basic-auth';
const CONTEXT = (peer: string): string => `failed to parse peer ${peer} password secret`;

export interface CompiledPassword {
  readonly password: string | undefined;
  readonly findings: readonly Finding[];
}

/** Resolves the password. Findings never contain it. */
export function compilePassword(
  { metadata, spec }: Ingested<'BGPPeer'>,
  secrets: SecretIndex,
): CompiledPassword {
  const password = spec?.password ?? '';
  const reference = spec?.passwordSecret?.name ?? '';
  if (reference === '') return checked(password, 'spec.password');
  if (password !== '')
    return failed({
      code: 'PEER-15',
      field: 'spec.password',
      message: `peer ${metadata.name} has both password and passwordSecret`,
      remedy: 'Remove password: the Secret is the safer place.',
    });
  if (secrets === 'passthrough') return { password: undefined, findings: [] };
  const secret = secrets.get(reference);
  const finding = checkSecret(secret, metadata, reference);
  if (finding !== undefined) return failed(finding);
  return checked(secret?.password ?? '', 'spec.passwordSecret.name');
}

const failed = (finding: Finding) => ({ password: undefined, findings: [finding] });

function checkSecret(
  secret: SecretView | undefined,
  { name: peer, namespace = '' }: Ingested<'BGPPeer'>['metadata'],
  reference: string,
): Finding | undefined {
  const field = 'spec.passwordSecret.name';
  if (secret === undefined)
    return {
      code: 'PEER-16',
      field,
      message: `Secret ${namespace}/${reference} for the password of peer ${peer} does not exist`,
      remedy: `Create a Secret ${reference} of type ${BASIC_AUTH} with key password in namespace ${namespace}.`,
      summary: `parsing peer ${peer} secret ref not found for peer config "${namespace}"/"${peer}"\n${CONTEXT(peer)}`,
    };
  if (secret.type !== BASIC_AUTH)
    return {
      code: 'PEER-17',
      field,
      message: `Secret ${namespace}/${reference} for the password of peer ${peer} is of type ${secret.type}, not ${BASIC_AUTH}`,
      remedy: `Create the Secret anew with type ${BASIC_AUTH}: the type of a Secret cannot be changed.`,
      summary: `parsing peer ${peer} secret type mismatch on "${namespace}"/"${reference}", type "${BASIC_AUTH}" is expected \n${CONTEXT(peer)}`,
    };
  if (secret.password === undefined)
    return {
      code: 'PEER-18',
      field,
      message: `Secret ${namespace}/${reference} for the password of peer ${peer} has no key password`,
      remedy: 'Add the key password to the Secret.',
      summary: `parsing peer ${peer} secret password not specified in the secret "${namespace}"/"${reference}"\n${CONTEXT(peer)}`,
    };
  return undefined;
}

/** PEER-24 (ours): the password becomes one word of FRR's configuration, which knows no quotes (speaker-bgp.md §3.6). */
function checked(password: string, field: string): CompiledPassword {
  if (password === '') return { password: undefined, findings: [] };
  if (/^[!-~]{1,80}$/.test(password)) return { password, findings: [] };
  return failed({
    code: 'PEER-24',
    field,
    message: 'the password cannot be used for TCP MD5',
    remedy: 'Use 1 to 80 printable ASCII characters, without blanks.',
  });
}
