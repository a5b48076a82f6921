import { builtinModelText, type DeviceModel, loadModel, ModelError, resolveSettings } from "../firmware-adapters/index.ts";
import type { ContentView } from "../protocol/content/index.ts";
import type { ModelSource } from "./rotation/index.ts";

/** Models by name, read when a device first needs one; a custom model of the vault goes before a built-in one. */
export class ModelShelf {
  #custom: ReadonlyMap<string, string> = new Map();
  #loaded = new Map<string, { readonly text: string; readonly model: DeviceModel | null }>();

  /** Takes the custom models of the present state. */
  take(view: ContentView): void {
    this.#custom = new Map([...view.models.values()].map(({ content }) => [content.name, content.yaml]));
  }

  /** The model and its settings for one device; null where there is no such model or the settings do not fit. */
  readonly find: ModelSource = (name, settings) => {
    const model = this.#model(name);
    if (model === null) return null;
    const resolved = resolveSettings(model, settings);
    return resolved.settings === null ? null : { model, settings: resolved.settings };
  };

  #model(name: string): DeviceModel | null {
    const text = this.#custom.get(name) ?? textOf(name);
    if (text === null) return null;
    const held = this.#loaded.get(name);
    if (held !== undefined && held.text === text) return held.model;
    const model = parsed(text);
    this.#loaded.set(name, { text, model });
    return model;
  }
}

const builtin = new Map<string, string | null>();

function textOf(name: string): string | null {
  const known = builtin.get(name);
  if (known !== undefined) return known;
  const text = quietly(() => builtinModelText(name));
  // Only names that exist: a vault cannot fill this with others.
  if (text !== null) builtin.set(name, text);
  return text;
}

function parsed(text: string): DeviceModel | null {
  return quietly(() => loadModel(text));
}

function quietly<T>(work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    if (error instanceof ModelError) return null;
    throw error;
  }
}
