import type { ModbusRecipe, RecipeStep, RecipeValue } from "../models/index.ts";

/** The register reads and writes of a recipe. */
export function modbusOutline(recipe: ModbusRecipe): string[] {
  const list = (title: string, steps: readonly RecipeStep[]) =>
    steps.length === 0 ? [`${title}: nothing to send`] : [`${title}:`, ...steps.flatMap((step) => stepLines(step, recipe))];
  return [
    ...list("ask who the device is", recipe.identify),
    ...list("change", recipe.push),
    ...list("prove the new password, on a connection of its own", recipe.verify),
    ...list("save", recipe.save),
    "prove the new password once more",
  ];
}

function stepLines(step: RecipeStep, recipe: ModbusRecipe): string[] {
  switch (step.do) {
    case "unlock":
      return [`  log in with the ${step.secret} password:`, ...recipe.unlock.flatMap((each) => stepLines(each, recipe))];
    case "write":
      return [
        `  write ${valueText(step.value)} to register ${step.address} (${typeText(step)}), function ${step.functionCode}`,
      ];
    case "coil":
      return [`  set coil ${step.address} ${step.on ? "on" : "off"}`];
    case "read":
      return [`  read register ${step.address} (${typeText(step)})`];
    case "expect":
      return [`  expect ${valueText(step.equals)} in register ${step.address} (${typeText(step)}), else ${step.otherwise}`];
    case "wait":
      return [`  wait ${step.ms} ms`];
  }
}

function typeText({ type }: Extract<RecipeStep, { type: unknown }>): string {
  return type.kind === "ascii" ? `${type.registers} registers of text` : type.kind;
}

function valueText(value: RecipeValue): string {
  if ("secret" in value) return `the ${value.secret === "current" ? "password" : "new password"}`;
  return "named" in value ? `what ${value.named} read` : String(value.number);
}
