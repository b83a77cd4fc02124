/** What users are told when a machine outside the cluster uses an address of a Service. */

/** Structurally the speaker's L2Conflict. */
export interface Conflict {
  readonly ip: string;
  readonly interface: string;
  readonly mac: string;
  readonly state: 'held' | 'withheld' | 'over';
}

export interface ConflictEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: 'addressConflict' | 'addressConflictOver';
  readonly message: string;
}

/** The Event for the Service; `node` is the one that announces or would. */
export function conflictEvent({ ip, interface: card, mac, state }: Conflict, node: string): ConflictEvent {
  const found = `${mac} on the network of interface ${card} of node ${node} uses ${ip} too`;
  switch (state) {
    case 'over':
      return {
        type: 'Normal',
        reason: 'addressConflictOver',
        message: `nobody else uses ${ip} any more: node ${node} announces it`,
      };
    case 'withheld':
      return {
        type: 'Warning',
        reason: 'addressConflict',
        message: `${found}: it is not announced until that machine is silent. Take the address from the machine, or out of the IPAddressPool`,
      };
    case 'held':
      return {
        type: 'Warning',
        reason: 'addressConflict',
        message: `${found}: clients reach the one or the other. Take the address from the machine, or out of the IPAddressPool`,
      };
  }
}
