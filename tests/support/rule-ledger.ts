/** The ledger of the rules of api.md §6: which are proved by cases that ran, and which are not. */
import { admitAtOnce } from '#core/config/admission.ts';
import { compile, type Compiled } from '#core/config/compile.ts';
import { isOpenReference } from '#core/config/problems.ts';
import { ruleCorpus, type Case } from '#tests/support/config-corpus.ts';
import { NAMESPACE, resources, type TestObject } from '#tests/support/config-factories.ts';
import { differences, type Difference } from '#tests/support/rule-differences.ts';
import { idsOf } from '#tests/support/rule-ids.ts';

export type Verdict = 'accepted' | 'refused' | 'differs';

/** A case of one rule; `run` returns true when the verdict is what the rule asks for. */
export interface Proof {
  readonly id: string;
  readonly what: string;
  readonly verdict: Verdict;
  readonly run: () => boolean;
}

/** These have no code of their own: they are told under the code of the field that holds the selectors. */
const TOLD_ELSEWHERE = new Set(['SEL-1', 'SEL-2', 'SEL-3', 'SEL-4', 'FRR-4']);

const compiledOf = (objects: readonly TestObject[]): Compiled =>
  compile(resources(objects), { kind: 'cluster' });

/** All codes that stand against the objects: those of compile, and the one of the namespace. */
function codesAgainst(objects: readonly TestObject[]): string[] {
  const outside = objects.some(
    ({ kind, metadata: { name, namespace }, ...rest }) =>
      admitAtOnce(
        {
          operation: 'CREATE',
          kind,
          namespace,
          name,
          object: { ...rest, metadata: { name } },
          oldObject: undefined,
        },
        NAMESPACE,
      )?.allowed === false,
  );
  const { problems } = compiledOf(objects);
  const told = problems.filter((problem) => !isOpenReference(problem)).map(({ code }) => code);
  return outside ? [...told, 'NAMESPACE'] : told;
}

const NAMESPACE_RULES = new Set(['PEER-22', 'BFD-9', 'POOL-12', 'COM-3', 'ADL-9', 'ADB-19']);
const codeOf = (id: string): string => (NAMESPACE_RULES.has(id) ? 'NAMESPACE' : id);

function isRefused(id: string, { objects, name }: Case): boolean {
  const codes = codesAgainst(objects);
  if (!TOLD_ELSEWHERE.has(id)) return codes.includes(codeOf(id));
  return idsOf(name).some((other) => !TOLD_ELSEWHERE.has(other) && codes.includes(other));
}

/** The cases of the corpus, each for every rule that its name bears, run through compile. */
function corpusProofs(cases: readonly Case[]): Proof[] {
  return cases.flatMap((one) =>
    idsOf(one.name).map((id): Proof => {
      const verdict = one.denied === undefined ? 'accepted' : 'refused';
      const run = (): boolean =>
        verdict === 'refused' ? isRefused(id, one) : codesAgainst(one.objects).length === 0;
      return { id, what: one.name, verdict, run };
    }),
  );
}

function differenceProof({ id, instead, objects = [], problems = [], shown }: Difference): Proof {
  const run = (): boolean => {
    const compiled = compiledOf(objects);
    return compiled.problems.map(({ code }) => code).join() === problems.join() && shown(compiled);
  };
  return { id, what: instead, verdict: 'differs', run };
}

/** Everything that is proved by objects alone. */
export const objectProofs: readonly Proof[] = [
  ...corpusProofs(ruleCorpus),
  ...differences.map(differenceProof),
];

export interface Audit {
  /** Rules that lack `accepted` or `refused` and do not differ either. */
  readonly unproved: readonly string[];
  /** Proofs of rules that nobody knows. */
  readonly unknown: readonly string[];
  /** Cases that ran and did not show what they are for. */
  readonly failed: readonly string[];
}

/** Runs all proofs and holds them against the rules. */
export function audit(rules: readonly string[], proofs: readonly Proof[]): Audit {
  const ran = proofs.map((proof) => ({ ...proof, holds: proof.run() }));
  const proved = (id: string, verdict: Verdict): boolean =>
    ran.some((proof) => proof.holds && proof.id === id && proof.verdict === verdict);
  const complete = (id: string): boolean =>
    proved(id, 'differs') || (proved(id, 'accepted') && proved(id, 'refused'));
  return {
    unproved: rules.filter((id) => !complete(id)),
    unknown: [...new Set(proofs.map(({ id }) => id))].filter((id) => !rules.includes(id)),
    failed: ran.filter(({ holds }) => !holds).map(({ id, what, verdict }) => `${id} ${verdict}: ${what}`),
  };
}
