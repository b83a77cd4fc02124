/** The API group of all kinds, and its versions. */
export const METALLB_GROUP = 'metallb.io';
export const V1BETA1 = 'v1beta1';
export const V1BETA2 = 'v1beta2';
