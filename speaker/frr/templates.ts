/**
 * The templates of frr.conf: one file per stanza, `frr.conf.hbs` includes the others by their file names.
 * Users can mount a folder of their own. Nothing from the cluster ever becomes a template or a helper.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import Handlebars from 'handlebars';
import { renderContext, type RenderContext } from '#core/frr/render-context.ts';
import type { FrrModel } from '#core/frr/model.ts';
import { AppError, messageOf } from '#core/errors.ts';

const MAIN = 'frr.conf';
const strict = { strict: true, knownHelpersOnly: true, noEscape: true } as const;

/** Rendering the same model object again costs nothing. */
export type Renderer = (model: FrrModel) => string;

/** Compiles the templates of a folder once. Throws CONFIG naming the folder, file or variable that is wrong. */
export function loadTemplates(directory: string): Renderer {
  const handlebars = Handlebars.create();
  const names = templateNames(directory);
  if (!names.includes(MAIN)) throw templateError(`${directory} has no ${MAIN}.hbs`);
  for (const name of names)
    handlebars.registerPartial(name, readFileSync(join(directory, `${name}.hbs`), 'utf8'));
  const main = handlebars.compile<RenderContext>(`{{> ${MAIN}}}`, strict);
  let last: { readonly model: FrrModel; readonly text: string } | undefined;
  return (model) => {
    if (last?.model === model) return last.text;
    try {
      last = { model, text: main(renderContext(model)) };
      return last.text;
    } catch (error) {
      throw templateError(`template in ${directory}: ${messageOf(error)}`);
    }
  };
}

function templateNames(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((file) => file.endsWith('.hbs'))
      .map((file) => basename(file, '.hbs'))
      .sort();
  } catch (error) {
    throw templateError(`cannot read the template folder ${directory}`, error);
  }
}

function templateError(message: string, cause?: unknown): AppError {
  return new AppError('CONFIG', message, { retry: 'never', cause });
}
