/** BFDProfile objects as values. Their rules BFD-2 to BFD-6 are bounds of the schema (core/config/parse.ts). */
import type { Ingested } from '#core/api/ingest.ts';
import type { BfdProfile } from '#core/model/config.ts';

export function compileBfdProfile({ metadata, spec = {} }: Ingested<'BFDProfile'>): BfdProfile {
  return {
    name: metadata.name,
    receiveInterval: spec.receiveInterval,
    transmitInterval: spec.transmitInterval,
    detectMultiplier: spec.detectMultiplier,
    echoInterval: spec.echoInterval,
    echoMode: spec.echoMode ?? false,
    passiveMode: spec.passiveMode ?? false,
    minimumTtl: spec.minimumTtl,
  };
}
