/** What the bundles need beside them: FRR's templates and koffi, which is native and so never bundled. */
import { cpSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Of koffi: its own JavaScript, and the binary for glibc; no sources, documents, or binaries for musl. */
function neededOfKoffi(path: string): boolean {
  if (/\/koffi\/(doc|lib|vendor)(\/|$)|\/musl_[^/]*(\/|$)/.test(path)) return false;
  return !/\.(cc|hh|S|asm|inc|md|ts)$/.test(path);
}

/** Copies into `outDir` what is there of `root`: a folder of templates, koffi for this machine's architecture. */
export function copyRuntimeFiles(root: string, outDir: string): void {
  const templates = join(root, 'frr-templates');
  if (existsSync(templates) && readdirSync(templates).length > 0)
    cpSync(templates, join(outDir, 'frr-templates'), { recursive: true });
  for (const name of ['koffi', `@koromix/koffi-${process.platform}-${process.arch}`])
    cpSync(join(root, 'node_modules', name), join(outDir, 'node_modules', name), {
      recursive: true,
      filter: neededOfKoffi,
    });
}
