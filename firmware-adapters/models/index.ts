export * from "./builtin-models.ts";
export * from "./limits.ts";
export * from "./load-model.ts";
export * from "./model.ts";
export * from "./model-error.ts";
export * from "./settings.ts";
export * from "./value-fits.ts";
