/** All scenarios of frr.conf by name. Each has a golden file and is loaded into a real FRR. */
import type { FrrModel } from '#core/frr/model.ts';
import { routeScenarios } from '#tests/support/frr-route-scenarios.ts';
import { scenarioModel, scenarios } from '#tests/support/frr-scenarios.ts';
import { sessionScenarios } from '#tests/support/frr-session-scenarios.ts';
import { objectModel } from '#tests/support/scenario-objects.ts';

export const golden: readonly (readonly [name: string, model: () => FrrModel])[] = [
  ...scenarios.map((scenario) => [scenario.name, () => scenarioModel(scenario)] as const),
  ...[...sessionScenarios, ...routeScenarios].map(
    (scenario) => [scenario[0], () => objectModel(scenario)] as const,
  ),
];
