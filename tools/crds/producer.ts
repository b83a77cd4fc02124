/** What is generated from core/api: one CRD and one page of documentation for each kind. */
import { resourceDefinitions } from '#core/api/definitions.ts';
import { crdYaml } from '#tools/crds/crd.ts';
import { docsPage } from '#tools/crds/docs.ts';
import type { GeneratedFile } from '#tools/generated-file.ts';

export function apiFiles(): GeneratedFile[] {
  return resourceDefinitions.flatMap((definition) => [
    { path: `config/crd/${definition.group}_${definition.plural}.yaml`, content: crdYaml(definition) },
    { path: `docs/api/${definition.singular}.md`, content: docsPage(definition) },
  ]);
}
