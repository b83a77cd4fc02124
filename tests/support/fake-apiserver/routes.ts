/** Kubernetes URLs taken apart. */

export interface Route {
  /** `group/version/plural`; group empty for core. */
  readonly resource: string;
  readonly namespace: string | undefined;
  /** Absent: the collection. */
  readonly name: string | undefined;
  readonly subresource: string | undefined;
  readonly query: URLSearchParams;
}

const namespaceSubresources = new Set(['status', 'finalize']);

/** Undefined for paths that are no resource. */
export function parseRoute(url: string): Route | undefined {
  const { pathname, searchParams: query } = new URL(url, 'http://fake');
  const parts = pathname.split('/').filter(Boolean).map(decodeURIComponent);
  const group = parts[0] === 'api' ? '' : parts[0] === 'apis' ? parts[1] : undefined;
  const rest = group === '' ? parts.slice(1) : parts.slice(2);
  const [version, ...path] = rest;
  if (group === undefined || version === undefined || path.length === 0) return undefined;
  const inNamespace =
    path[0] === 'namespaces' && path.length >= 3 && !namespaceSubresources.has(path[2] as string);
  const [plural, name, subresource] = inNamespace ? path.slice(2) : path;
  return {
    resource: `${group}/${version}/${plural}`,
    namespace: inNamespace ? path[1] : undefined,
    name,
    subresource,
    query,
  };
}
