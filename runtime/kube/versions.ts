/** Resource versions of one kind, in order. */

/** Decimal numbers that grow; anything else counts as newer than everything. */
export function isOlder(version: string, than: string): boolean {
  if (!/^\d+$/.test(version) || !/^\d+$/.test(than)) return false;
  return BigInt(version) < BigInt(than);
}
