/** Services are created while the leader is killed ten times: what nobody may notice. */
import type { Figure } from '#bench/figures.ts';
import type { Reporter } from '#lab/report.ts';
import { ControllerLab } from '#tests/support/controller-lab.ts';
import { killLeaders } from '#tests/support/leader-kills.ts';

const SERVICES = 1000;
const KILLS = 10;
const REPLICAS = 3;

export async function controllerFaults(report: Reporter): Promise<Figure[]> {
  await using lab = await ControllerLab.start();
  await lab.pool('bench', ['10.0.0.0/16']);
  report.step(`${SERVICES} Services, ${REPLICAS} replicas, ${KILLS} kills`);
  const started = performance.now();
  const { kills, moved, duplicates, waiting } = await killLeaders(lab, {
    services: SERVICES,
    kills: KILLS,
    replicas: REPLICAS,
  });
  const size = `${SERVICES} Services, ${REPLICAS} replicas`;
  const none = (figure: string, value: number): Figure => ({
    figure: `leader killed: ${figure}`,
    unit: '',
    size,
    value,
    goal: '<= 0',
  });
  return [
    { figure: 'leader killed: kills', unit: '', size, value: kills, goal: `>= ${KILLS}` },
    none('addresses that two Services have', duplicates),
    none('Services whose address changed', moved),
    none('Services left without an address', waiting),
    {
      figure: 'leader killed: whole run',
      unit: 's',
      size,
      value: Math.round((performance.now() - started) / 1000),
    },
  ];
}
