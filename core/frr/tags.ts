/** Stable numbers for route classes: the same content gets the same tag on every node and after a restart. */

const TAGS = 64_000;

/** FNV-1a over UTF-16 code units, 32 bits unsigned, with a final mix so that all bits depend on all input. */
export function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/**
 * A tag 1..64000 for each key, all different. Two keys with one hash are told apart by the next free number,
 * in the order of the keys. Below 65535, the number of the closing entry of an outbound route-map.
 */
export function tagClasses(keys: Iterable<string>): Map<string, number> {
  const taken = new Set<number>();
  const tags = new Map<string, number>();
  for (const key of [...new Set(keys)].sort()) {
    let tag = (hash32(key) % TAGS) + 1;
    while (taken.has(tag)) tag = (tag % TAGS) + 1;
    taken.add(tag);
    tags.set(key, tag);
  }
  return tags;
}
