/** The identifiers of api.md §6, by group and number of rules. */
const groups = {
  SEL: 4,
  PEER: 22,
  BFD: 9,
  POOL: 12,
  COM: 3,
  ADL: 9,
  ADB: 19,
  FRR: 4,
  NAT: 16,
  X: 6,
  SVC: 12,
  MLB: 12,
} as const;

export const ruleIds: readonly string[] = Object.entries(groups).flatMap(([group, count]) =>
  Array.from({ length: count }, (_, index) => `${group}-${index + 1}`),
);

/** Rules of our own, beside those of §6 (docs/compatibility.md); the last five are warnings. */
export const ownRuleIds: readonly string[] = [
  'PEER-23',
  'PEER-24',
  'MLB-13',
  'MLB-14',
  'MLB-15',
  'MLB-16',
  'POOL-14',
  'POOL-13',
  'POOL-15',
  'POOL-16',
  'REF-1',
  'REF-2',
];

/** Identifiers that a text names. */
export function idsOf(text: string): string[] {
  return text.match(/\b(?:SEL|PEER|BFD|POOL|COM|ADL|ADB|FRR|NAT|X|SVC|MLB|REF)-\d+\b/g) ?? [];
}
