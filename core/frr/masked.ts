/** Models that can be shown: no password is left in them. */
import type { FrrModel, RawLines } from '#core/frr/model.ts';
import type { BgpPeer } from '#core/model/config.ts';

const HIDDEN = '<hidden>';
/** Where another model is compared with, its reader has to see that the password is another one. */
const HIDDEN_NEW = '<hidden, new>';
/** Words of FRR's language that are followed by something secret, up to the end of the line. */
const SECRET = /\b(password|key-string|authentication-key|md5|passphrase)(\s+)(\S.*)$/;

/** The model with its passwords hidden, before anything is rendered; those that `known` does not have are marked as new. */
export function masked(model: FrrModel, known: FrrModel = model): FrrModel {
  const peers = new Map(
    known.routers.flatMap(({ neighbors }) => neighbors.map((peer) => [peer.name, peer.password])),
  );
  const lines = new Set(known.raw.flatMap(({ text }) => text.split('\n')));
  const hide = (peer: BgpPeer): BgpPeer =>
    peer.password === undefined
      ? peer
      : { ...peer, password: peers.get(peer.name) === peer.password ? HIDDEN : HIDDEN_NEW };
  return {
    ...model,
    routers: model.routers.map((router) => ({ ...router, neighbors: router.neighbors.map(hide) })),
    raw: model.raw.map((raw) => hideRaw(raw, lines)),
  };
}

function hideRaw({ owner, text }: RawLines, known: ReadonlySet<string>): RawLines {
  const hidden = text
    .split('\n')
    .map((line) => line.replace(SECRET, `$1$2${known.has(line) ? HIDDEN : HIDDEN_NEW}`));
  return { owner, text: hidden.join('\n') };
}
