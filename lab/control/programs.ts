/** Command lines of the control plane's programs. */
import { join } from 'node:path';
import { auditFlags } from '#lab/control/audit.ts';
import type { Pki } from '#lab/control/pki.ts';
import { API_PORT, CONTROL, SERVICE_RANGES } from '#lab/net/plan.ts';
import type { Program } from '#lab/toolchain/ensure.ts';

export type ControlProgram = Exclude<Program, 'kube-proxy' | 'kubelet' | 'kubectl'>;

export interface ProgramContext {
  readonly folder: string;
  readonly bin: string;
  readonly pki: Pki;
  /** False: nobody renews the nodes' leases, so nobody may judge them. */
  readonly realNodes: boolean;
}

/** Where etcd answers in the control namespace. */
export const ETCD = 'http://127.0.0.1:2379';
const ETCD_PEER = 'http://127.0.0.1:2380';

const commands: Readonly<Record<ControlProgram, (context: ProgramContext) => readonly string[]>> = {
  etcd: ({ folder }) => [
    '--name=lab',
    `--data-dir=${join(folder, 'etcd')}`,
    '--unsafe-no-fsync',
    '--log-level=warn',
    `--listen-client-urls=${ETCD}`,
    `--advertise-client-urls=${ETCD}`,
    `--listen-peer-urls=${ETCD_PEER}`,
    `--initial-advertise-peer-urls=${ETCD_PEER}`,
    `--initial-cluster=lab=${ETCD_PEER}`,
  ],
  'kube-apiserver': ({ pki, folder }) => [
    `--etcd-servers=${ETCD}`,
    '--bind-address=::',
    `--secure-port=${API_PORT}`,
    `--advertise-address=${CONTROL.ipv4}`,
    `--tls-cert-file=${pki.path('apiserver.crt')}`,
    `--tls-private-key-file=${pki.path('apiserver.key')}`,
    `--client-ca-file=${pki.path('ca.crt')}`,
    '--authorization-mode=Node,RBAC',
    '--allow-privileged=true',
    '--profiling=false',
    `--service-cluster-ip-range=${SERVICE_RANGES.ipv4},${SERVICE_RANGES.ipv6}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${pki.path('sa.pub')}`,
    `--service-account-signing-key-file=${pki.path('sa.key')}`,
    '--kubelet-preferred-address-types=InternalIP',
    `--kubelet-client-certificate=${pki.path('kubelet-client.crt')}`,
    `--kubelet-client-key=${pki.path('kubelet-client.key')}`,
    ...auditFlags(folder),
  ],
  'kube-controller-manager': ({ pki, realNodes }) => [
    ...kubeconfigFlags(pki.path('kube-controller-manager.kubeconfig')),
    '--use-service-account-credentials=true',
    `--service-account-private-key-file=${pki.path('sa.key')}`,
    `--root-ca-file=${pki.path('ca.crt')}`,
    `--cluster-signing-cert-file=${pki.path('ca.crt')}`,
    `--cluster-signing-key-file=${pki.path('ca.key')}`,
    '--allocate-node-cidrs=false',
    '--node-monitor-grace-period=20s',
    `--controllers=${realNodes ? '*' : '*,-node-lifecycle-controller'}`,
  ],
  'kube-scheduler': ({ pki }) => kubeconfigFlags(pki.path('kube-scheduler.kubeconfig')),
};

function kubeconfigFlags(path: string): readonly string[] {
  return [
    `--kubeconfig=${path}`,
    `--authentication-kubeconfig=${path}`,
    `--authorization-kubeconfig=${path}`,
    '--bind-address=127.0.0.1',
    '--leader-elect=false',
  ];
}

export function commandLine(program: ControlProgram, context: ProgramContext): readonly string[] {
  return [join(context.bin, program), ...commands[program](context)];
}
