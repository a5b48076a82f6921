import type { DeviceModel } from "../../firmware-adapters/index.ts";
import { type CommandModule, table } from "../frame/index.ts";

/** `tidegate model list | show | check`: how the makes of devices are spoken to. */
export const modelCommand: CommandModule = (program, frame) => {
  const model = program.command("model").description("models: how a make of device is spoken to");
  model
    .command("list")
    .description("list the built-in models")
    .action(async () => {
      const { readBuiltinModels } = await import("../models/index.ts");
      const models = readBuiltinModels().map((read) => read.model);
      frame.output.result(models.map(summary), (rows) =>
        table([["model", "adapter", "what it is"], ...rows.map(({ name, adapter, title }) => [name, adapter, title])]),
      );
    });
  model
    .command("show <name>")
    .description("print a built-in model, to read it or to start an own one from it")
    .action(async (name: string) => {
      const { readBuiltinModel } = await import("../models/index.ts");
      const read = readBuiltinModel(name);
      frame.output.result(read.model, () => read.text.trimEnd());
    });
  model
    .command("check <file>")
    .description("check a model of your own; every problem is named with its line")
    .action(async (file: string) => {
      const { readModelFile } = await import("../models/index.ts");
      const { model: read } = readModelFile(file);
      frame.output.result(summary(read), ({ name, adapter, title }) => [
        `${file} is a usable model: ${name} (${adapter}), ${title}`,
        ...read.notProven.map((fact) => `not proven: ${fact}`),
        ...read.sideEffects.map((effect) => `side effect: ${effect}`),
      ]);
    });
};

function summary(model: DeviceModel) {
  const { name, adapter, title, notProven, sideEffects } = model;
  return { name, adapter, title, notProven, sideEffects };
}
