import {
  builtinModelText,
  type DeviceModel,
  loadModel,
  MODEL_CODES,
  ModelError,
  type ModelProblem,
  modelNames,
} from "../../firmware-adapters/index.ts";
import { TidegateError } from "../../protocol/base/index.ts";
import { readLimited } from "../frame/index.ts";

/** A model that cannot be used, as the command line reports it; `problems` is everything wrong with it. */
export class UnusableModelError extends TidegateError<keyof typeof MODEL_CODES> {
  readonly problems: readonly ModelProblem[];

  constructor(error: ModelError) {
    super(MODEL_CODES, error.code, error.message, { hint: error.hint, cause: error });
    this.problems = error.problems;
  }
}

/** A model with the text that it was read from, which is what the vault keeps. */
export interface ReadModel {
  readonly model: DeviceModel;
  readonly text: string;
}

/** A built-in model by its name; throws MODEL_UNKNOWN. */
export function readBuiltinModel(name: string): ReadModel {
  return reported(() => {
    const text = builtinModelText(name);
    return { text, model: loadModel(text) };
  });
}

/** A model from a file of the operator's; throws CLI_FILE or MODEL_INVALID. */
export function readModelFile(path: string): ReadModel {
  const text = readLimited(path).toString("utf8");
  return reported(() => ({ text, model: loadModel(text) }));
}

/** A model from its text, as the vault keeps it; throws MODEL_INVALID. */
export function readModelText(text: string): DeviceModel {
  return reported(() => loadModel(text));
}

/** Every built-in model, by name. */
export function readBuiltinModels(): readonly ReadModel[] {
  return modelNames.map((name) => readBuiltinModel(name));
}

function reported<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof ModelError ? new UnusableModelError(error) : error;
  }
}
