/** Fields that L2Advertisement and BGPAdvertisement have in common. */
import * as z from 'zod';
import { labelSelector } from '#core/api/fields.ts';

export const ipAddressPools = () =>
  z
    .array(z.string())
    .optional()
    .describe(
      'Pools whose addresses are announced, by name. Without this and ipAddressPoolSelectors: all pools.',
    );

export const ipAddressPoolSelectors = () =>
  z
    .array(labelSelector())
    .optional()
    .describe(
      'Pools whose addresses are announced, by label; one matching selector is enough, and what they find is added to ipAddressPools.',
    );

export const serviceSelectors = (extra: string) =>
  z
    .array(labelSelector())
    .optional()
    .describe(
      `Limits the advertisement to Services with these labels; one matching selector is enough. Without it: all Services of the pools.${extra}`,
    );
